"""Spectral feature modules, against librosa 0.11 on real speech, for single clips and padded batches."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from ser.audio.waveform import SAMPLE_RATE, decode
from ser.features.spectral import (
    MIN_FRAMES,
    Delta,
    MelSpectrogram,
    Mfcc,
    dct_matrix,
    length_mask,
    mel_filters,
    normalise_utterance,
    power_to_db,
    pre_emphasise,
    trim_silence,
)


def published(clip_seconds: float | None = None) -> Mfcc:
    return Mfcc(
        n_mfcc=13,
        n_mels=40,
        n_fft=400,
        hop_samples=160,
        trim_db=25,
        pre_emphasis=0.97,
        cmvn=True,
        clip_seconds=clip_seconds,
    )


def reference(samples: np.ndarray) -> np.ndarray:
    """The published pipeline, computed with librosa: (frames, 39)."""
    samples, _ = librosa.effects.trim(samples, top_db=25)
    samples = librosa.util.normalize(librosa.effects.preemphasis(samples, coef=0.97))
    mfcc = librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE, n_mfcc=13, n_mels=40, n_fft=400, hop_length=160)
    deltas = [librosa.feature.delta(mfcc, width=9, order=order) for order in (1, 2)]
    frames = np.concatenate([mfcc, *deltas])
    return ((frames - frames.mean(axis=1, keepdims=True)) / frames.std(axis=1, keepdims=True)).T


def batch_of(clips: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = torch.tensor([len(clip) for clip in clips])
    return torch.nn.utils.rnn.pad_sequence([torch.from_numpy(clip) for clip in clips], batch_first=True), lengths


@pytest.fixture
def clips(samples) -> list[np.ndarray]:
    return [decode(path).samples for path in samples.values()]


def test_frames_equal_librosa(clips):
    frames, lengths = published()(*batch_of(clips))
    for row, length, clip in zip(frames, lengths.tolist(), clips, strict=True):
        expected = reference(clip)
        assert length == len(expected)
        np.testing.assert_allclose(row[:length].numpy(), expected, atol=1e-3)


@pytest.mark.corpus
def test_frames_equal_librosa_on_ravdess(corpora_root):
    files = sorted((corpora_root / "ravdess").glob("*/*.flac"))[::30]
    for file in files:
        clip = decode(file).samples
        frames, _ = published()(*batch_of([clip]))
        np.testing.assert_allclose(frames[0].numpy(), reference(clip), atol=1e-3)


def test_padding_does_not_change_the_features(clips):
    module = published()
    together, lengths = module(*batch_of(clips))
    for row, length, clip in zip(together, lengths.tolist(), clips, strict=True):
        alone, _ = module(*batch_of([clip]))
        np.testing.assert_allclose(row[:length].numpy(), alone[0].numpy(), atol=1e-5)
        assert not row[length:].any()


def test_frames_do_not_depend_on_loudness(clips):
    loud, _ = published()(*batch_of(clips))
    quiet, _ = published()(*batch_of([0.01 * clip for clip in clips]))
    np.testing.assert_allclose(loud.numpy(), quiet.numpy(), atol=1e-3)


def test_clip_seconds_cuts_frames_not_values(clips):
    whole, _ = published()(*batch_of(clips[:1]))
    cut, lengths = published(clip_seconds=1.0)(*batch_of(clips[:1]))
    assert lengths.tolist() == [100]
    torch.testing.assert_close(cut, whole[:, :100])


@pytest.mark.parametrize("top_db", [20, 25, 40])
def test_trim_bounds_equal_librosa(clips, top_db):
    padded = [np.concatenate([np.zeros(n, np.float32), clip]) for n, clip in zip((0, 5000, 9000), clips, strict=True)]
    trimmed, lengths = trim_silence(*batch_of(padded), top_db)
    for row, length, clip in zip(trimmed, lengths.tolist(), padded, strict=True):
        expected, _ = librosa.effects.trim(clip, top_db=top_db)
        np.testing.assert_array_equal(row[:length].numpy(), expected)


def test_trim_keeps_pure_silence_and_enough_of_a_click():
    silence = np.zeros(8000, np.float32)
    click = silence.copy()
    click[4000] = 1
    _, lengths = trim_silence(*batch_of([silence, click]), 25)
    assert lengths[0] == 8000
    assert lengths[1] // 160 + 1 >= MIN_FRAMES


def test_shortest_recording_has_features():
    noise = np.random.default_rng(0).standard_normal(1600).astype(np.float32)
    frames, lengths = published()(*batch_of([noise]))
    assert lengths.tolist() == [11]
    assert torch.isfinite(frames).all()


def test_pre_emphasis_equals_librosa(clips):
    samples, lengths = batch_of(clips[:1])
    expected = librosa.effects.preemphasis(clips[0], coef=0.97)
    np.testing.assert_allclose(pre_emphasise(samples, lengths, 0.97)[0].numpy(), expected, atol=1e-6)


def test_mel_spectrogram_in_db_equals_librosa(clips):
    power, lengths = MelSpectrogram(SAMPLE_RATE, 400, 160, 40)(*batch_of(clips[:1]))
    expected = librosa.feature.melspectrogram(
        y=clips[0], sr=SAMPLE_RATE, n_fft=400, hop_length=160, n_mels=40, pad_mode="constant"
    )
    np.testing.assert_allclose(power[0].numpy(), expected.T, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(power_to_db(power, lengths)[0].numpy(), librosa.power_to_db(expected).T, atol=1e-2)


@pytest.mark.parametrize(("n_fft", "n_mels"), [(400, 40), (1024, 128)])
def test_mel_filters_equal_librosa(n_fft, n_mels):
    expected = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=n_fft, n_mels=n_mels)
    np.testing.assert_allclose(mel_filters(SAMPLE_RATE, n_fft, n_mels).numpy(), expected, atol=1e-7)


def test_dct_is_orthonormal():
    matrix = dct_matrix(40, 40)
    torch.testing.assert_close(matrix.T @ matrix, torch.eye(40), atol=1e-5, rtol=0)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("length", [9, 10, 57])
def test_delta_equals_librosa_up_to_the_edges(order, length):
    frames = torch.randn(1, length, 5, generator=torch.Generator().manual_seed(length))
    padded = torch.cat([frames, torch.zeros(1, 6, 5)], dim=1)
    found = Delta(order)(padded, torch.tensor([length]))[0, :length]
    expected = librosa.feature.delta(frames[0].T.numpy(), width=9, order=order).T
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)


def test_normalisation_ignores_padding():
    frames = torch.randn(2, 50, 3) * 7 + 4
    lengths = torch.tensor([50, 20])
    found = normalise_utterance(frames * length_mask(lengths, 50)[:, :, None], lengths)
    for row, length in zip(found, lengths.tolist(), strict=True):
        torch.testing.assert_close(row[:length].mean(dim=0), torch.zeros(3), atol=1e-5, rtol=0)
        torch.testing.assert_close(row[:length].std(dim=0, correction=0), torch.ones(3), atol=1e-4, rtol=0)


def test_serving_does_not_import_librosa():
    import subprocess
    import sys

    code = "import sys, ser.inference.predictor, ser.models.recipes.cnn1d; "
    code += "print('librosa' in sys.modules, 'sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
