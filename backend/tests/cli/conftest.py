"""Fixtures for the command-line tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile


@pytest.fixture
def own_recordings(samples, tmp_path) -> Path:
    """A folder with three recordings each of four speakers, and their ``labels.csv``."""
    folder = tmp_path / "mine"
    folder.mkdir()
    rows = ["path,emotion,speaker"]
    for speaker in range(4):
        for emotion, source in samples.items():
            clip, rate = soundfile.read(source)
            soundfile.write(folder / f"{speaker} {emotion}.wav", clip[speaker * 800 :], rate)
            rows.append(f"{speaker} {emotion}.wav,{emotion},person {speaker}")
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _quick_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that name no model use the quick one; ``test_default_model`` tests which one they use otherwise."""
    monkeypatch.setenv("SER_MODEL", "cnn1d")
