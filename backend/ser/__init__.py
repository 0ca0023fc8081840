"""Speech emotion recognition: recordings in, emotions with honest confidence out.

The package is a list of floors; a module imports only from lower floors (``backend/README.md`` draws them)::

    bytes -> Waveform(samples, sample_rate) -> features (frames, dims) -> logits (classes,) -> Prediction

In a notebook or a script::

    import ser
    model = ser.load("cnn1d")
    model.predict("clip.wav")
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ser.inference.predictor import Predictor

__version__ = "0.1.0"


def load(name_or_path: str | Path | None = None) -> Predictor:
    """Loads a model: one that ships, by name, or any checkpoint, by path; without either, the default one.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    from ser.core.settings import load_settings
    from ser.inference.predictor import load_predictor  # torch takes a second; ``ser.__version__`` should not

    settings = load_settings()
    return load_predictor(name_or_path or settings.model, settings)
