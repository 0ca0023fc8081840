"""Recognises the emotion in speech, with a calibrated confidence.

The package is divided into rooms; a file imports only from its own room and from lower ones (``backend/README.md``)::

    bytes -> Waveform(samples, sample_rate) -> features (frames, dims) -> logits (classes,) -> Prediction

In a notebook or a script::

    import ser
    model = ser.load("cnn1d")
    model.predict("clip.wav")
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ser.core.prediction import Prediction

if TYPE_CHECKING:
    from ser.inference.predictor import Predictor

__all__ = ["Prediction", "load"]
__version__ = "0.1.0"


def load(name_or_path: str | Path | None = None) -> Predictor:
    """Loads a model by name or by the path of its checkpoint; the default model if neither is given.

    Raises:
        ModelError: the model does not exist or is damaged.
    """
    from ser.core.settings import load_settings
    from ser.inference.predictor import load_predictor  # importing torch takes a second

    settings = load_settings()
    return load_predictor(name_or_path or settings.model, settings)
