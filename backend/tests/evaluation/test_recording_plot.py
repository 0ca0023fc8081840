"""The plot of a recording, for every form a prediction can take."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from ser.audio.vad import find_speech
from ser.audio.waveform import SAMPLE_RATE, decode
from ser.core.prediction import Prediction
from ser.evaluation.recording_plot import CHUNK_SECONDS, draw_clip

FOUND = {"angry": 0.5, "happy": 0.3, "sad": 0.2}


def prediction(state: str, file: str = "clip.wav") -> Prediction:
    there = state != "no_speech"
    return Prediction(
        file=file,
        state=state,
        emotion="angry" if there else None,
        confidence=50.0 if there else None,
        probabilities=FOUND if there else {},
        candidates=["angry", "happy"] if state == "unsure" else [],
        model="cnn1d",
        duration_seconds=1.0,
        speech_seconds=1.0,
    )


def drawn(folder: Path, samples: np.ndarray, what: Prediction) -> np.ndarray:
    """Returns the pixels of the plot (height, width, 3), 0 to 1."""
    draw_clip(folder / "clip.png", samples, find_speech(samples), what)
    return matplotlib.image.imread(folder / "clip.png")[..., :3]


@pytest.mark.parametrize("state", ["emotion", "unsure"])
def test_a_clip_is_plotted(state, samples, tmp_path):
    picture = drawn(tmp_path, decode(samples["sad"]).samples, prediction(state, "50 % of $x and $y, " * 5))
    assert picture.shape[0] > 800 and picture.shape[1] > 800
    assert (picture.std(axis=(0, 1)) > 0.05).all()
    assert [path.name for path in tmp_path.iterdir()] == ["clip.png"]


def test_the_bar_colour_marks_uncertain_predictions(samples, tmp_path):
    clip = decode(samples["sad"]).samples
    sure, unsure = (drawn(tmp_path, clip, prediction(state)) for state in ("emotion", "unsure"))
    orange = np.array([0xB0, 0x70, 0x0A]) / 255
    near = [(np.abs(picture - orange).max(axis=2) < 0.02).sum() for picture in (sure, unsure)]
    assert near[0] < 0.1 * near[1] and near[1] > 1000


@pytest.mark.parametrize("seconds", [0.1, CHUNK_SECONDS + 0.05])
@pytest.mark.parametrize("level", [0.0, 0.1])
def test_recordings_of_any_length_without_speech_are_plotted(seconds, level, tmp_path):
    noise = level * np.random.default_rng(0).standard_normal(int(seconds * SAMPLE_RATE))
    assert drawn(tmp_path, noise.astype(np.float32), prediction("no_speech")).std() > 0.05
