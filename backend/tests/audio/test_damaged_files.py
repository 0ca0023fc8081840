"""Damaged recordings: any bytes give a prediction or an ``AudioError``, within bounded time."""

from __future__ import annotations

import math
import time
from collections import Counter

import numpy as np
import pytest

from ser.audio.waveform import SAMPLE_RATE, Waveform, decode, resample
from ser.core.errors import AudioError
from ser.core.settings import load_settings
from ser.inference.predictor import load_predictor
from tests.audio.test_waveform import ffmpeg

FILES = 200
SECONDS = 10.0  # for a single file


@pytest.fixture
def recordings(samples, encode) -> list[bytes]:
    """One clip of speech in ten formats."""
    clip = resample(decode(samples["happy"]), 48_000).samples
    forms = [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", None), ("MP3", None), ("OGG", "VORBIS"), ("OGG", "OPUS")]
    made = [encode(clip, 48_000, form, subtype) for form, subtype in [*forms, ("AIFF", None)]]
    return made + [ffmpeg(clip, 48_000, *kind) for kind in (("mp4", "aac"), ("adts", "aac"), ("webm", "libopus"))]


def damage(content: bytes, draw: np.random.Generator) -> bytes:
    """Truncates, overwrites, inserts into or removes from the middle."""
    position = int(draw.integers(1, len(content)))
    noise = draw.integers(0, 256, int(draw.integers(1, 3000)), dtype=np.uint8).tobytes()
    kind = draw.integers(4)
    if kind == 0:
        return content[:position]
    if kind == 1:
        return content[:position] + noise + content[position:]
    if kind == 2:
        return content[:position] + content[position + len(noise) :]
    changed = bytearray(content)
    reach = len(content) if draw.random() < 0.5 else min(200, len(content))  # damage to the header has the most effect
    for _ in range(int(draw.integers(1, 30))):
        changed[int(draw.integers(reach))] = int(draw.integers(256))
    return bytes(changed)


@pytest.mark.slow
def test_damaged_recordings_are_decoded_or_refused(recordings):
    predictor = load_predictor("cnn1d", load_settings({}))
    draw, outcomes = np.random.default_rng(0), Counter()
    for number in range(FILES):
        began = time.monotonic()
        try:
            found = predictor.predict(damage(recordings[number % len(recordings)], draw))
        except AudioError as error:
            outcomes[error.code] += 1
        else:
            outcomes[found.state] += 1
            assert all(math.isfinite(share) for share in found.probabilities.values())
        assert time.monotonic() - began < SECONDS
    assert sum(outcomes.values()) == FILES
    assert outcomes["audio_unreadable"] > 0 and outcomes["emotion"] + outcomes["unsure"] > 0


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e5])
def test_extreme_levels_stay_finite(samples, scale):
    clip = decode(samples["happy"]).samples
    found = load_predictor("cnn1d", load_settings({})).predict(Waveform((scale * clip).astype(np.float32), SAMPLE_RATE))
    assert found.state == "no_speech" or math.isclose(sum(found.probabilities.values()), 1, abs_tol=1e-6)
