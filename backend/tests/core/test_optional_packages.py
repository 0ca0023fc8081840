"""A missing optional package gives an error that names the command to install it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ser.core import optional_packages
from ser.core.optional_packages import OPTIONAL, PackageError
from ser.features.functionals import statistics

BACKEND = Path(__file__).resolve().parents[2]


def test_statistics_without_librosa(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(optional_packages, "find_spec", lambda name: None)
    with pytest.raises(PackageError, match="librosa.*setup --train"):
        statistics(np.zeros(16_000, np.float32), 16_000)


@pytest.mark.parametrize("command", [["report", "x"], ["plot", "x.wav", "--out", "x.png"], ["corpus", "ravdess"]])
def test_a_command_without_its_packages(command: list[str], tmp_path: Path):
    hide = f"import sys; sys.modules.update(dict.fromkeys({OPTIONAL!r})); sys.argv = ['ser', *{command!r}]"
    (tmp_path / "x.wav").write_bytes(_tone(tmp_path / "tone.wav"))
    program = f"{hide}; sys.path.insert(0, {str(BACKEND)!r}); from ser.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 4 and "Traceback" not in done.stderr
    assert "setup --train" in done.stderr and "pip install -e '.[train]'" in done.stderr


def _tone(file: Path) -> bytes:
    """One second of a tone as a WAV file."""
    import soundfile

    soundfile.write(file, 0.1 * np.sin(np.arange(16_000) / 10), 16_000)
    return file.read_bytes()
