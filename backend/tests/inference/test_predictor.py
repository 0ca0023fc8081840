"""The predictor with the shipped weights: every entry point gives the same result."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from ser.audio.waveform import SAMPLE_RATE, Waveform, decode, resample
from ser.core.errors import AudioError, ModelError, ProfileError, SettingsError
from ser.core.labels import EMOTIONS
from ser.core.prediction import WARNINGS, Prediction
from ser.core.settings import PROJECT, load_settings
from ser.inference.predictor import Predictor, load_predictor
from ser.inference.windowing import make_grid
from ser.models.calibration import Calibration

GOLDEN = PROJECT / "backend" / "tests" / "golden.json"


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return load_predictor("cnn1d", load_settings({}))


@pytest.mark.parametrize("clip", ["angry", "happy", "sad"])
def test_shipped_weights_give_the_recorded_probabilities(predictor, samples, clip):
    """Recorded by ``python -m tests.tools.record_golden`` when the weights were made."""
    expected = json.loads(GOLDEN.read_text(encoding="utf-8"))["cnn1d"][clip]
    found = predictor.predict(samples[clip]).probabilities
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_prediction_is_consistent(predictor, samples):
    found = predictor.predict(samples["angry"])
    assert found.file == "angry.wav" and found.model == "cnn1d"
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert list(found.probabilities) == [label for label in EMOTIONS if label in predictor.info.labels]
    assert found.emotion == max(found.probabilities, key=found.probabilities.get)
    assert found.confidence == pytest.approx(100 * found.probabilities[found.emotion], abs=0.01)
    assert 0 < found.speech_seconds <= found.duration_seconds == pytest.approx(2.757, abs=1e-3)
    assert found.segments[0].emotion == found.emotion


def test_only_uncertain_predictions_list_candidates(predictor, samples):
    for path in samples.values():
        found = predictor.predict(path)
        assert (found.state == "unsure") == (found.confidence < 100 * predictor.info.calibration.unsure_below)
        assert bool(found.candidates) == (found.state == "unsure")


@pytest.mark.parametrize("kind", ["silence", "noise", "hum"])
def test_sounds_without_speech_get_no_emotion(predictor, kind):
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    sounds = {
        "silence": np.zeros(len(time)),
        "noise": 0.1 * np.random.default_rng(0).standard_normal(len(time)),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * time),
    }
    found = predictor.predict(Waveform(sounds[kind].astype(np.float32), SAMPLE_RATE), "quiet.wav")
    assert (found.state, found.emotion, found.confidence) == ("no_speech", None, None)
    assert (found.probabilities, found.candidates, found.segments) == ({}, [], [])


def test_bytes_path_and_waveform_give_the_same_prediction(predictor, samples):
    path = samples["sad"]
    answers = [predictor.predict(source).probabilities for source in (path, path.read_bytes(), decode(path))]
    assert answers[0] == answers[1] == answers[2]


def test_threads_do_not_mix_predictions(predictor, samples):
    jobs = list(samples.values()) * 8
    alone = [predictor.predict(path).probabilities for path in jobs]
    with ThreadPoolExecutor(8) as pool:
        together = [found.probabilities for found in pool.map(predictor.predict, jobs)]
    for one, other in zip(alone, together, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


def test_the_sampling_rate_hardly_changes_the_prediction(predictor, samples):
    import soxr

    clip = decode(samples["sad"])
    wider = predictor.predict(Waveform(soxr.resample(clip.samples, SAMPLE_RATE, 48_000), 48_000)).probabilities
    assert predictor.predict(clip).probabilities == pytest.approx(wider, abs=0.05)


def test_a_long_recording_has_a_timeline(predictor, samples):
    pause = np.zeros(4 * SAMPLE_RATE, np.float32)
    parts = [decode(samples[name]).samples for name in ("angry", "angry", "sad", "sad")]
    joined = np.concatenate([parts[0], parts[1], pause, parts[2], parts[3]])
    found = predictor.predict(Waveform(joined, SAMPLE_RATE))
    assert found.duration_seconds > 10 and len(found.segments) > 1
    for earlier, later in zip(found.segments, found.segments[1:], strict=False):
        assert earlier.start < earlier.end <= later.start < later.end
    assert found.segments[-1].end <= found.duration_seconds
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-6)


def test_the_batch_size_does_not_change_the_prediction(predictor, samples, monkeypatch):
    clip = decode(samples["happy"])
    long = Waveform(np.tile(clip.samples, 8), clip.sample_rate)
    together = predictor.predict(long)
    sizes, forward = [], predictor._runner._features.forward
    monkeypatch.setattr("ser.inference.runner.BATCH_SECONDS", 7)
    monkeypatch.setattr(
        predictor._runner._features,
        "forward",
        lambda batch, lengths: sizes.append(len(batch)) or forward(batch, lengths),
    )
    apart = predictor.predict(long)
    assert len(sizes) > 1 and max(sizes) * 3 <= 7
    assert apart.probabilities == pytest.approx(together.probabilities, abs=1e-6)
    assert apart.segments == together.segments


def test_warnings_describe_problems_of_a_recording(predictor, samples):
    clip = decode(samples["sad"]).samples
    overdriven = predictor.predict(Waveform(np.clip(30 * clip, -1, 1), SAMPLE_RATE))
    faint = predictor.predict(Waveform(0.002 * clip, SAMPLE_RATE))
    narrow = predictor.predict(resample(Waveform(clip, SAMPLE_RATE), 8_000))
    plain = predictor.predict(Waveform(clip, SAMPLE_RATE))
    assert [one.warning_codes for one in (overdriven, faint, narrow, plain)] == [
        ["overdriven"],
        ["quiet"],
        ["narrow_band"],
        [],
    ]
    assert [one.warnings for one in (overdriven, plain)] == [[WARNINGS["overdriven"]], []]


def test_a_recording_beyond_the_limit_is_refused(samples):
    short = load_predictor("cnn1d", load_settings({"SER_MAX_AUDIO_SECONDS": "1"}))
    with pytest.raises(AudioError) as caught:
        short.predict(samples["sad"])
    assert caught.value.code == "audio_too_long"


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ModelError, match="available: .*cnn1d"):
        load_predictor("nonsense", load_settings({}))


@pytest.mark.corpus
@pytest.mark.slow
def test_formats_of_one_recording_agree(predictor, corpora_root):
    """WAV and FLAC always give the same emotion, MP3 and WebM/Opus for at least 95% of 60 clips."""
    files = sorted((corpora_root / "ravdess").glob("*/*.flac"))[::24]
    same = {"MP3": 0, "WEBM": 0}
    for file in files:
        clip = decode(file)
        flac = predictor.predict(file)
        wav = predictor.predict(_encode(clip, "WAV", "PCM_16"))
        assert wav.probabilities == pytest.approx(flac.probabilities, abs=1e-3)
        same["MP3"] += predictor.predict(_encode(clip, "MP3", None)).emotion == flac.emotion
        same["WEBM"] += predictor.predict(_webm(clip)).emotion == flac.emotion
    print(f"same emotion as FLAC on {len(files)} clips: {same}")
    assert min(same.values()) >= 0.95 * len(files)


def _encode(clip: Waveform, form: str, subtype: str | None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, clip.samples, clip.sample_rate, format=form, subtype=subtype)
    return buffer.getvalue()


def _webm(clip: Waveform) -> bytes:
    from ser.audio.waveform import resample
    from tests.audio.test_waveform import ffmpeg

    return ffmpeg(resample(clip, 48_000).samples, 48_000, "webm", "libopus")


def test_a_prediction_set_holds_every_emotion_above_the_threshold(predictor, samples):
    known = replace(predictor.info.calibration, set_thresholds={"80": 0.2, "95": 0.0})
    asked = Predictor(replace(predictor._checkpoint, info=replace(predictor.info, calibration=known)), 60.0)
    plain, narrow, wide = (asked.predict(samples["sad"], coverage=percent) for percent in (None, 80, 95))
    assert plain.prediction_set is None
    assert narrow.prediction_set[0] == narrow.emotion
    assert set(narrow.prediction_set) == {label for label, share in narrow.probabilities.items() if share >= 0.2}
    assert set(wide.prediction_set) == set(wide.probabilities)
    assert "one of" in wide.to_text()
    assert asked.predict(Waveform(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE), coverage=80).prediction_set is None
    with pytest.raises(SettingsError, match="available: 80, 95"):
        asked.predict(samples["sad"], coverage=85)


CHOSEN = ("angry", "happy", "neutral")


def test_chosen_emotions_get_all_the_probability(predictor, samples):
    every, found = predictor.predict(samples["sad"]), predictor.predict(samples["sad"], emotions="neutral, Anger,happy")
    assert list(found.probabilities) == found.emotions == list(CHOSEN) and every.emotions == []
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-9)
    kept = {label: every.probabilities[label] for label in CHOSEN}
    assert sorted(kept, key=kept.get) == sorted(found.probabilities, key=found.probabilities.get)
    own = predictor.info.calibration.among(CHOSEN)
    power = predictor.info.calibration.temperature / own.temperature
    scaled = {label: share**power for label, share in kept.items()}
    assert found.probabilities == pytest.approx({label: s / sum(scaled.values()) for label, s in scaled.items()})
    assert found.emotion in CHOSEN and {one.emotion for one in found.segments} <= set(CHOSEN)
    assert list(found.timeline.probabilities) == list(CHOSEN)
    assert (found.state == "unsure") == (found.probabilities[found.emotion] < own.unsure_below)
    assert "among angry, happy, neutral" in found.to_text()
    assert Prediction.from_dict(json.loads(found.to_json())) == found


def test_choosing_all_emotions_changes_nothing(predictor, samples):
    plain = predictor.predict(samples["happy"], coverage=90)
    assert predictor.predict(samples["happy"], coverage=90, emotions=predictor.info.labels) == plain
    assert predictor.predict(samples["happy"], coverage=90, emotions=()) == plain


def test_prediction_sets_of_chosen_emotions_have_their_own_threshold(predictor, samples):
    threshold = predictor.info.calibration.among(CHOSEN).set_thresholds["90"]
    found = predictor.predict(samples["happy"], coverage=90, emotions=CHOSEN)
    above = {label for label, share in found.probabilities.items() if share >= threshold}
    assert set(found.prediction_set) == above | {found.emotion}
    older = replace(predictor.info.calibration, by_size={})
    asked = Predictor(replace(predictor._checkpoint, info=replace(predictor.info, calibration=older)), 60.0)
    assert asked.predict(samples["happy"], emotions=CHOSEN).prediction_set is None
    with pytest.raises(SettingsError, match="no prediction sets among 3 emotions with a coverage of 90 %"):
        asked.predict(samples["happy"], coverage=90, emotions=CHOSEN)


def test_two_emotions_are_unsure_while_both_are_likely(predictor, samples):
    for path in samples.values():
        found = predictor.predict(path, emotions=("happy", "sad"))
        assert (found.state == "unsure") == (max(found.probabilities.values()) < 0.6667)
        assert set(found.candidates) == ({"happy", "sad"} if found.state == "unsure" else set())


def test_saliency_is_of_the_chosen_emotions(samples):
    published = load_predictor("cnn1d_published", load_settings({}))
    every, few = (published.analyse(samples["sad"], emotions=chosen) for chosen in (None, ("happy", "surprised")))
    assert every.attribution.kind == few.attribution.kind == "saliency"
    assert every.attribution.weight != few.attribution.weight


def test_silence_with_chosen_emotions_has_no_emotion(predictor):
    found = predictor.predict(Waveform(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE), emotions=CHOSEN)
    assert (found.state, found.probabilities, found.emotions) == ("no_speech", {}, list(CHOSEN))


def test_an_invalid_choice_of_emotions_is_refused(predictor, samples):
    with pytest.raises(SettingsError, match="Only happy was chosen; .* of angry, disgust, fearful, happy"):
        predictor.predict(samples["sad"], emotions=["happy"])


@pytest.fixture
def long(samples) -> Waveform:
    """More than 10 s of speech, which is analysed in windows."""
    return Waveform(np.concatenate([decode(path).samples for path in samples.values()] * 2), SAMPLE_RATE)


def same(one: Prediction, other: Prediction) -> bool:
    return one.probabilities == pytest.approx(other.probabilities, abs=1e-5)


def test_a_long_recording_adapts_to_its_speaker_unless_asked_not_to(voice_predictor, long):
    adapted, plain = (voice_predictor.predict(long, adapt=adapt) for adapt in (True, False))
    assert not same(adapted, plain)
    assert 0 == plain.adapted_seconds < adapted.adapted_seconds == pytest.approx(adapted.speech_seconds, abs=2.5)
    assert voice_predictor.analyse(long).prediction == adapted
    encoded = voice_predictor.encode(long)
    assert voice_predictor.answer(encoded, speaker=voice_predictor.estimate_speaker([encoded])) == adapted
    assert voice_predictor.answer(encoded) == plain


def test_a_short_clip_does_not_adapt_to_itself(voice_predictor, samples):
    found = voice_predictor.predict(samples["sad"])
    assert found.adapted_seconds == 0 and found == voice_predictor.predict(samples["sad"], adapt=False)


def test_a_model_that_cannot_adapt_says_so_only_where_asked(predictor, long):
    assert predictor.predict(long) == predictor.predict(long, adapt=False)
    assert predictor.common_speaker([predictor.encode(long)] * 2) is None
    with pytest.raises(ProfileError, match="cannot adapt to speakers"):
        predictor.estimate_speaker([predictor.encode(long)])


def test_recordings_together_are_answered_as_with_a_profile_of_them(voice_predictor, samples):
    profile = voice_predictor.enroll("asha", list(samples.values()))
    encoded = [voice_predictor.encode(path) for path in samples.values()]
    speaker, mixed = (voice_predictor.common_speaker(part) for part in (encoded, encoded[::-1]))
    for path, one in zip(samples.values(), encoded, strict=True):
        own = voice_predictor.predict(path, profile=profile, emotions=CHOSEN)
        assert same(voice_predictor.answer(one, speaker=speaker, emotions=CHOSEN), own)
        assert same(voice_predictor.answer(one, speaker=mixed, emotions=CHOSEN), own), "in any order"
        assert own.adapted_seconds == pytest.approx(speaker.seconds, abs=0.2)


def test_silence_and_no_recording_leave_nothing_to_adapt_to(voice_predictor, samples):
    silence = voice_predictor.encode(Waveform(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE), "quiet.wav")
    spoken = [voice_predictor.encode(path) for path in samples.values()]
    assert voice_predictor.common_speaker([]) is None and voice_predictor.estimate_speaker([]) is None
    assert voice_predictor.common_speaker([silence] * 3) is None
    assert voice_predictor.common_speaker([spoken[0], silence]) is None, "one clip of speech"
    with_silence = voice_predictor.common_speaker([*spoken, silence])
    without = voice_predictor.common_speaker(spoken)
    assert with_silence.seconds == without.seconds
    found = voice_predictor.answer(silence, speaker=without)
    assert (found.file, found.state, found.adapted_seconds) == ("quiet.wav", "no_speech", 0)


def test_windows_that_overlap_count_less_than_one_recording_each(voice_predictor, long):
    close, apart = (voice_predictor.encode(long, grid=make_grid(3.0, hop)) for hop in (0.5, 3.0))
    assert close.clips.sum() == pytest.approx(apart.clips.sum(), abs=1.1) and set(apart.clips) == {1.0}
    seconds = [voice_predictor.estimate_speaker([one]).seconds for one in (close, apart)]
    assert seconds[0] == pytest.approx(seconds[1], rel=0.25)


def test_a_recording_unlike_those_of_training_has_a_warning_and_its_own_calibration(voice_predictor, samples):
    encoded = voice_predictor.encode(samples["sad"])
    far = replace(encoded, outputs=replace(encoded.outputs, distances=encoded.outputs.distances + 1.5))
    assert far.unfamiliar and not encoded.unfamiliar
    other = Calibration(temperature=100.0, unsure_below=0.9)
    info = replace(voice_predictor.info, calibration=replace(voice_predictor.info.calibration, unfamiliar=other))
    wary = Predictor(replace(voice_predictor._checkpoint, info=info), 60.0)
    near, found = wary.answer(encoded), wary.answer(far)
    assert near == voice_predictor.answer(encoded) and near.warning_codes == []
    assert (found.warning_codes, found.state) == (["unlike_training"], "unsure")
    assert "unlike anything" in found.warnings[0]
    assert max(found.probabilities.values()) < 1 / len(info.labels) + 0.05 < max(near.probabilities.values())


def test_a_prediction_set_without_a_threshold_of_its_own_holds_every_emotion(voice_predictor, samples):
    encoded = voice_predictor.encode(samples["sad"])
    far = replace(encoded, outputs=replace(encoded.outputs, distances=encoded.outputs.distances + 1.5))
    plain = Calibration(temperature=1.0, unsure_below=0.5, set_thresholds={"90": 0.4})
    info = replace(voice_predictor.info, calibration=replace(plain, unfamiliar=replace(plain, set_thresholds={})))
    asked = Predictor(replace(voice_predictor._checkpoint, info=info), 60.0)
    assert len(asked.answer(encoded, coverage=90).prediction_set) == 1
    assert set(asked.answer(far, coverage=90).prediction_set) == set(info.labels), "too few were heard to leave one out"
