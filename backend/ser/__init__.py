"""Speech emotion recognition: recordings in, emotions with honest confidence out.

The package is a list of floors; a module imports only from lower floors (``backend/README.md`` draws them)::

    bytes -> Waveform(samples, sample_rate) -> features (frames, dims) -> logits (classes,) -> Prediction
"""

__version__ = "0.1.0"
