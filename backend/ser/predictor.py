"""Uses a model: recording in, ``Prediction`` out; the one path behind every door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ser.audio import Waveform, decode, resample
from ser.calibration import candidates, prediction_set
from ser.checkpoint import Checkpoint, ModelInfo, find_checkpoint, load_checkpoint
from ser.errors import SettingsError
from ser.labels import canonical_order
from ser.prediction import Prediction
from ser.settings import Settings
from ser.speech import Speech, find_speech
from ser.timeline import DEFAULT_GRID, Grid, Window, dominant, pool, segments, smooth, timeline, transitions, windows

BATCH_WINDOWS = 64
CLIPPED_SHARE = 0.001  # of the samples at full scale: the recording is overdriven
QUIET_PEAK = 0.01  # -40 dB below full scale
SHORT_SPEECH_SECONDS = 0.5


class Predictor:
    """A loaded model; safe to call from several threads."""

    def __init__(self, checkpoint: Checkpoint, max_seconds: float):
        self._checkpoint = checkpoint
        self._max_seconds = max_seconds

    @property
    def info(self) -> ModelInfo:
        """What the model says about itself."""
        return self._checkpoint.info

    def predict(
        self,
        source: bytes | str | Path | Waveform,
        file: str = "",
        *,
        grid: Grid = DEFAULT_GRID,
        coverage: int | None = None,
    ) -> Prediction:
        """Names the emotion of a recording.

        Args:
            source: the file's content, its path, or a waveform.
            file: name to put into the answer; a path's own name where empty.
            grid: windows to look at it in, such as ``make_grid(window_seconds=2)``; by default 3 s long ones every
                second, and a recording of up to 10 s as a whole.
            coverage: percent of the answers whose ``prediction_set`` is to hold the right emotion; None asks for none.

        Raises:
            AudioError: the recording cannot be used.
            SettingsError: the model was not measured at that coverage.
        """
        share = None if coverage is None else self._set_threshold(coverage)
        source = Path(source) if isinstance(source, str) else source
        waveform = source if isinstance(source, Waveform) else decode(source, self._max_seconds)
        file = file or (source.name if isinstance(source, Path) else "")
        samples = resample(waveform, self.info.sample_rate).samples
        speech = find_speech(samples)
        warnings = _warnings(waveform, speech)
        if not speech.active.any():
            return self._answer(file, waveform, speech, warnings, None, [], grid, share)
        parts = windows(speech, grid)
        by_window = self._probabilities(samples, speech, parts)
        return self._answer(file, waveform, speech, warnings, by_window, parts, grid, share)

    def _set_threshold(self, coverage: int) -> float:
        known = self.info.calibration.set_thresholds
        if str(coverage) not in known:
            raise SettingsError(
                f"{self.info.name} has no sets that hold the right emotion {coverage} % of the time; "
                f"available: {', '.join(known) or 'none'}."
            )
        return known[str(coverage)]

    @torch.inference_mode()
    def _probabilities(self, samples: np.ndarray, speech: Speech, parts: list[Window]) -> np.ndarray:
        """Returns calibrated probabilities (windows, classes)."""
        spans = [speech.span(window.span.start, window.span.stop) for window in parts]
        clips = [torch.from_numpy(np.ascontiguousarray(samples[span])) for span in spans]
        batches = [clips[start : start + BATCH_WINDOWS] for start in range(0, len(clips), BATCH_WINDOWS)]
        logits = torch.cat([self._logits(batch) for batch in batches])
        return torch.softmax(logits.double() / self.info.calibration.temperature, dim=1).numpy()

    def _logits(self, clips: list[torch.Tensor]) -> torch.Tensor:
        lengths = torch.tensor([len(clip) for clip in clips])
        batch = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
        return self._checkpoint.network(*self._checkpoint.features(batch, lengths))[0]

    def _answer(
        self,
        file: str,
        waveform: Waveform,
        speech: Speech,
        warnings: list[str],
        by_window: np.ndarray | None,
        parts: list[Window],
        grid: Grid,
        set_threshold: float | None,
    ) -> Prediction:
        """Puts the result object together; ``by_window`` is None without speech."""
        found: dict[str, float] = {}
        stretches, course = [], None
        labels = canonical_order(self.info.labels)
        threshold = self.info.calibration.unsure_below
        if by_window is not None:
            by_window = by_window[:, [self.info.labels.index(label) for label in labels]]
            found = dict(zip(labels, pool(by_window, parts).tolist(), strict=True))
            smoothed = smooth(by_window, parts, grid)
            stretches = segments(smoothed, parts, labels, speech, grid, threshold)
            course = timeline(smoothed, parts, labels, grid)
        best = max(found, key=found.get) if found else None
        unsure = best is not None and found[best] < threshold
        return Prediction(
            file=file,
            state="no_speech" if best is None else "unsure" if unsure else "emotion",
            emotion=best,
            confidence=None if best is None else round(100 * found[best], 2),
            probabilities=found,
            candidates=candidates(found) if unsure else [],
            model=self.info.name,
            duration_seconds=round(waveform.seconds, 3),
            speech_seconds=round(speech.seconds, 3),
            segments=stretches,
            warnings=warnings,
            dominant=dominant(stretches),
            transitions=transitions(stretches),
            timeline=course,
            prediction_set=None if set_threshold is None or not found else prediction_set(found, set_threshold),
        )


def load_predictor(name_or_path: str | Path, settings: Settings) -> Predictor:
    """Loads a model by its name in the weights folder, or by path.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    folder = find_checkpoint(str(name_or_path), settings.weights)
    return Predictor(load_checkpoint(folder), settings.max_audio_seconds)


def _warnings(waveform: Waveform, speech: Speech) -> list[str]:
    level = np.abs(waveform.samples)
    found = []
    if (level >= 0.999).mean() > CLIPPED_SHARE:
        found.append("The recording is overdriven: its loudest parts are cut off, which can look like anger.")
    if level.max(initial=0) < QUIET_PEAK:
        found.append("The recording is very quiet; move closer to the microphone.")
    if waveform.sample_rate < 16_000:
        found.append("The recording has a telephone's narrow band; the models were trained on a wider one.")
    if 0 < speech.seconds < SHORT_SPEECH_SECONDS:
        found.append("There is less than half a second of speech; the answer is less reliable.")
    return found
