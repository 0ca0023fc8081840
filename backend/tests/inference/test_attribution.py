"""Attribution over a recording: merged attention, and gradient saliency for networks without attention."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ser.audio.waveform import SAMPLE_RATE, Waveform, decode
from ser.core.settings import load_settings
from ser.inference.attribution import WindowAttribution, merge_windows
from ser.inference.predictor import load_predictor
from ser.models.recipe import find_recipes


def look(start: float, stop: float, *weights: float) -> WindowAttribution:
    return WindowAttribution(round(start * SAMPLE_RATE), round(stop * SAMPLE_RATE), np.array(weights))


def weight_at(found, seconds: float) -> float:
    (weight,) = [
        weight
        for start, end, weight in zip(found.start, found.end, found.weight, strict=True)
        if start <= seconds < end
    ]
    return weight


def test_the_steps_of_a_window_have_equal_lengths():
    found = merge_windows([look(1.0, 3.0, 0.1, 0.4, 0.3, 0.2)], 4 * SAMPLE_RATE, "attention")
    assert found.kind == "attention" and (found.start[0], found.end[-1]) == pytest.approx((1.0, 3.0))
    assert [weight_at(found, at) for at in (1.2, 1.7, 2.2, 2.7)] == pytest.approx([0.25, 1.0, 0.75, 0.5])
    assert found.start[1:] == found.end[:-1]


def test_overlapping_windows_are_averaged_and_gaps_are_left_out():
    looks = [look(0.0, 2.0, 0.75, 0.25), look(1.0, 3.0, 0.25, 0.75), look(5.0, 6.0, 0.5, 0.5)]
    found = merge_windows(looks, 8 * SAMPLE_RATE, "saliency")
    levels = {0.5: 1.5, 1.5: (0.5 + 0.5) / 2, 2.5: 1.5, 5.5: 1.0}
    assert {at: weight_at(found, at) for at in levels} == pytest.approx(
        {at: level / 1.5 for at, level in levels.items()}, abs=1e-4
    )
    assert not any(3.1 < start < 4.9 or start > 6.1 for start in found.start)


def test_a_window_beyond_the_end_of_the_recording_is_cut():
    found = merge_windows([look(0.0, 3.0, 0.2, 0.8)], 2 * SAMPLE_RATE, "attention")
    assert found.end[-1] == 2.0 and weight_at(found, 1.9) == 1.0 and weight_at(found, 0.5) == pytest.approx(0.25)


def test_windows_of_a_single_step_give_no_attribution():
    assert merge_windows([look(0.0, 1.0, 1.0)], SAMPLE_RATE, "saliency") is None
    assert merge_windows([], SAMPLE_RATE, "attention") is None


def test_half_an_hour_has_at_most_5000_values():
    looks = [look(start, start + 3.0, *np.linspace(0.5, 1.5, 75)) for start in range(1798)]
    found = merge_windows(looks, 1800 * SAMPLE_RATE, "attention")
    assert len(found.start) == len(found.weight) == 5000 and max(found.weight) == 1 and min(found.weight) > 0


@pytest.mark.parametrize("recipe", find_recipes().values(), ids=find_recipes())
def test_attention_and_frames_of_a_recipe_stay_within_the_clip(recipe, samples):
    clips = [torch.from_numpy(decode(path).samples) for path in samples.values()]
    lengths = torch.tensor([len(clip) for clip in clips])
    batch = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
    features = recipe.features(recipe.clip_seconds)
    start, stop = features.span(batch, lengths)
    assert (start >= 0).all() and (start < stop).all()
    torch.manual_seed(0)
    with torch.inference_mode():
        attention = recipe.network(len(recipe.labels)).eval()(*features(batch, lengths)).attribution
    for number, clip in enumerate(clips):
        alone = features.span(clip[None], lengths[number : number + 1])
        assert (int(alone[0]), int(alone[1])) == (int(start[number]), int(stop[number])), "padding has no effect"
    if attention is not None:
        torch.testing.assert_close(attention.sum(dim=1), torch.ones(3))
        steps = [int(row.nonzero().max()) + 1 for row in attention]
        rates = [(int(stop[i]) - int(start[i])) / steps[i] for i in range(3)]
        assert max(rates) / min(rates) < 1.1, "steps have the same length in every clip"


@pytest.mark.parametrize(
    ("name", "kind"), [("resnet1d", "attention"), ("cnn1d_published", "saliency"), ("bilstm", "saliency")]
)
def test_attribution_lies_within_the_speech(name, kind, samples):
    clip = decode(samples["angry"]).samples
    late = np.concatenate([np.zeros(5 * SAMPLE_RATE, np.float32), clip, np.zeros(SAMPLE_RATE, np.float32)])
    predictor = load_predictor(name, load_settings({}))
    plain, moved = (predictor.analyse(Waveform(sound, SAMPLE_RATE)) for sound in (clip, late))
    assert plain.attribution.kind == moved.attribution.kind == kind
    begin, end = plain.attribution.start[0], plain.attribution.end[-1]
    assert (moved.attribution.start[0], moved.attribution.end[-1]) == pytest.approx((5 + begin, 5 + end), abs=0.1)
    assert max(plain.attribution.weight) == 1 and min(plain.attribution.weight) >= 0
    assert np.std(plain.attribution.weight) > 0.01, "the weights should differ"


def test_explaining_does_not_change_the_prediction(samples):
    predictor = load_predictor("cnn1d", load_settings({}))
    analysis = predictor.analyse(samples["sad"])
    assert analysis.prediction == predictor.predict(samples["sad"])
    assert predictor.analyse(samples["sad"], explain=False).attribution is None


def test_networks_on_whole_clips_and_silence_have_no_attribution(samples):
    assert load_predictor("mlp", load_settings({})).analyse(samples["sad"]).attribution is None
    silence = Waveform(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)
    assert load_predictor("resnet1d", load_settings({})).analyse(silence).attribution is None


def test_saliency_finds_the_frames_that_matter():
    """A network that sums a single frame has no gradient at any other."""
    from types import SimpleNamespace

    from ser.inference.runner import Clip, NetworkRunner
    from ser.models.calibration import Calibration
    from ser.models.network import Network, NetworkOutput

    class Frames(torch.nn.Module):
        def forward(self, batch, lengths):
            return batch.unflatten(1, (10, 160)), lengths // 160

        def span(self, batch, lengths):
            return torch.zeros_like(lengths), lengths

    class Third(Network):
        def forward(self, frames, lengths):
            value = frames[:, 2].sum(dim=1)
            return NetworkOutput(torch.stack([value, -value], dim=1), frames[:, 0])

    info = SimpleNamespace(sample_rate=SAMPLE_RATE, calibration=Calibration(temperature=1.0, unsure_below=0.5))
    network = NetworkRunner(SimpleNamespace(info=info, features=Frames(), network=Third()))
    clip = [Clip(torch.rand(1600), 800)]
    (found,) = network._saliency(clip, None, [0, 1])
    assert (found.start, found.stop) == (800, 2400) and found.weights.argmax() == 2 == len(found.weights) - 1
    assert found.weights[:2].tolist() == [0, 0]
