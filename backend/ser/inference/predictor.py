"""Predicts the emotion of a recording with a loaded model, for the library, the API and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ser.audio.vad import Speech, find_speech
from ser.audio.waveform import SAMPLE_RATE, Waveform, decode, resample
from ser.core.errors import ProfileError, SettingsError
from ser.core.labels import canonical_order, choose_emotions
from ser.core.prediction import Prediction
from ser.core.settings import Settings
from ser.core.speaker_profile import Profile, check_name
from ser.inference.attribution import Attribution
from ser.inference.postprocess import WindowResults, make_prediction
from ser.inference.runner import CheckCancelled, ClipOutputs, NetworkRunner, cut_speech
from ser.inference.windowing import DEFAULT_GRID, Grid, Window, check_work, make_windows
from ser.models.checkpoint import Checkpoint, ModelInfo, find_checkpoint, load_checkpoint
from ser.models.encoder import EncoderHeads
from ser.models.speaker_offset import variety

CLIPPED_SHARE = 0.001  # of the samples at full scale: the recording is clipped
QUIET_PEAK = 0.01  # -40 dB below full scale
SHORT_SPEECH_SECONDS = 0.5


@dataclass(frozen=True)
class Analysis:
    """A recording with its prediction and the intermediate results.

    Attributes:
        prediction: the prediction.
        samples: float32 (samples,) at 16 kHz.
        speech: where speech is in them.
        attribution: how much each moment contributed; None without speech, if not requested, or for a network whose
            input is a single vector per window.
    """

    prediction: Prediction
    samples: np.ndarray
    speech: Speech
    attribution: Attribution | None


@dataclass(frozen=True)
class _Recording:
    """A decoded recording, its samples at the model's rate, and where speech is in them."""

    waveform: Waveform
    samples: np.ndarray
    speech: Speech


class Predictor:
    """A loaded model; safe to call from several threads."""

    def __init__(self, checkpoint: Checkpoint, max_seconds: float):
        self._checkpoint = checkpoint
        self._runner = NetworkRunner(checkpoint)
        self._max_seconds = max_seconds

    @property
    def info(self) -> ModelInfo:
        """Metadata of the model."""
        return self._checkpoint.info

    def predict(
        self,
        source: bytes | str | Path | Waveform,
        file: str = "",
        *,
        grid: Grid = DEFAULT_GRID,
        coverage: int | None = None,
        profile: Profile | None = None,
        emotions: str | Sequence[str] | None = None,
    ) -> Prediction:
        """Predicts the emotion of a recording.

        Args:
            source: the file's content, its path, or a waveform.
            file: name for the prediction; the name of the path if empty.
            grid: windows to divide it into, such as ``make_grid(window_seconds=2)``; by default windows of 3 s every
                second, and a single window for a recording of up to 10 s.
            coverage: percent of recordings whose ``prediction_set`` should contain the true emotion; None for no set.
            profile: speaker profile to calibrate with.
            emotions: those to choose the answer from, two or more, such as ``("angry", "happy", "neutral")``; synonyms
                and one text separated by commas are read as well. None for all emotions of the model.

        Raises:
            AudioError: the recording cannot be used, or has more windows than ``check_work`` allows.
            ProfileError: the profile is of another model.
            SettingsError: the model has no threshold for that coverage, or the chosen emotions are invalid
                (``emotions_invalid``).
        """
        return self.analyse(
            source, file, grid=grid, coverage=coverage, profile=profile, emotions=emotions, explain=False
        ).prediction

    def analyse(
        self,
        source: bytes | str | Path | Waveform,
        file: str = "",
        *,
        grid: Grid = DEFAULT_GRID,
        coverage: int | None = None,
        profile: Profile | None = None,
        emotions: str | Sequence[str] | None = None,
        explain: bool = True,
        check_cancelled: CheckCancelled = lambda: None,
    ) -> Analysis:
        """Predicts the emotion of a recording like ``predict``, and returns the intermediate results as well.

        Args:
            source, file, grid, coverage, profile, emotions: as for ``predict``.
            explain: whether to compute the attribution; doubles the time for a network without attention.
            check_cancelled: called between batches of a long recording; an exception from it stops the analysis.

        Raises:
            AudioError, ProfileError, SettingsError: as ``predict``.
        """
        source = Path(source) if isinstance(source, str) else source
        chosen = choose_emotions(emotions, self.info.labels)
        set_threshold = None if coverage is None else self._set_threshold(coverage, chosen)
        offset = None if profile is None else self._speaker_offset(profile)
        recording = self._read(source)
        check_work(grid, len(recording.samples) / SAMPLE_RATE, self._max_seconds)
        results, attribution = self._recognise(recording, grid, offset, chosen, explain, check_cancelled)
        prediction = make_prediction(
            self.info,
            results,
            file=file or (source.name if isinstance(source, Path) else ""),
            duration_seconds=recording.waveform.seconds,
            warnings=_warnings(recording, results),
            set_threshold=set_threshold,
        )
        return Analysis(prediction, recording.samples, recording.speech, attribution)

    def _recognise(
        self,
        recording: _Recording,
        grid: Grid,
        offset: Tensor | None,
        emotions: tuple[str, ...],
        explain: bool,
        check_cancelled: CheckCancelled,
    ) -> tuple[WindowResults, Attribution | None]:
        """Runs the network on the windows with speech, and computes the attribution if requested."""
        speech = recording.speech
        windows = make_windows(speech, grid) if speech.active.any() else []
        if not windows:
            return self._window_results(speech, grid, [], None, emotions), None
        clips = cut_speech(recording.samples, speech, windows)
        outputs = self._runner.run(clips, offset, check_cancelled)
        attribution = None
        if explain:
            classes = [self.info.labels.index(label) for label in emotions or self.info.labels]
            attribution = self._runner.attribute(
                clips, outputs, offset, len(recording.samples), classes, check_cancelled
            )
        return self._window_results(speech, grid, windows, outputs, emotions), attribution

    def _window_results(
        self,
        speech: Speech,
        grid: Grid,
        windows: Sequence[Window],
        outputs: ClipOutputs | None,
        emotions: tuple[str, ...],
    ) -> WindowResults:
        """Selects the windows that the network classifies as speech, and the chosen emotions in canonical order."""
        if outputs is None or not outputs.is_speech.any():
            nothing = np.zeros((0, len(emotions or self.info.labels)))
            return WindowResults(speech=speech, windows=[], probabilities=nothing, grid=grid, emotions=emotions)
        kept = outputs.is_speech
        labels = canonical_order(self.info.labels)
        probabilities = outputs.probabilities[kept][:, [self.info.labels.index(label) for label in labels]]
        return WindowResults(
            speech=speech,
            windows=[window for window, spoken in zip(windows, kept, strict=True) if spoken],
            probabilities=self.info.calibration.restrict(probabilities, labels, emotions),
            grid=grid,
            intensities=None if outputs.intensities is None else outputs.intensities[kept],
            emotions=emotions,
        )

    def _set_threshold(self, coverage: int, emotions: tuple[str, ...]) -> float:
        known = self.info.calibration.among(emotions).set_thresholds
        if str(coverage) not in known:
            among = f" among {len(emotions)} emotions" if emotions else ""
            raise SettingsError(
                f"{self.info.name} has no prediction sets{among} with a coverage of {coverage} %; "
                f"available: {', '.join(known) or 'none'}."
            )
        return known[str(coverage)]

    def enroll(self, name: str, sources: Sequence[bytes | str | Path | Waveform]) -> Profile:
        """Makes a speaker profile; the recordings should vary in emotion, and need no labels.

        Args:
            name: of the profile.
            sources: recordings of that speaker, one or more.

        Raises:
            AudioError: a recording cannot be used.
            ProfileError: the name is invalid, no recording contains speech, or the model does not support speaker
                profiles.
        """
        check_name(name)
        heads = self._heads()
        enrolled: list[tuple[ClipOutputs, float]] = []
        for source in sources:
            recording = self._read(Path(source) if isinstance(source, str) else source)
            if recording.speech.active.any():
                clips = cut_speech(recording.samples, recording.speech, make_windows(recording.speech))
                enrolled.append((self._runner.run(clips), recording.speech.seconds))
        if not enrolled:
            raise ProfileError(f"The recordings ({len(sources)}) contain no speech; record speech.", "profile_empty")
        embeddings = torch.tensor(np.stack([outputs.embeddings.mean(axis=0) for outputs, _ in enrolled]))
        probabilities = torch.tensor(np.stack([outputs.probabilities.mean(axis=0) for outputs, _ in enrolled])).float()
        return Profile(
            name=name,
            model=self.info.name,
            weights=heads.fingerprint,
            clips=len(enrolled),
            speech_seconds=round(sum(seconds for _, seconds in enrolled), 1),
            variety=round(variety(probabilities), 3),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            offset=heads.speaker_offset.estimate(embeddings, probabilities).numpy(),
        )

    def _heads(self) -> EncoderHeads:
        """Returns the heads that make and use speaker profiles."""
        network = self._checkpoint.network
        if not network.supports_profiles:
            raise ProfileError(
                f"{self.info.name} does not support speaker profiles; choose another model.", "profile_model"
            )
        return network.heads

    def _speaker_offset(self, profile: Profile) -> Tensor:
        """Returns the speaker offset (size,) of a profile."""
        if profile.weights != self._heads().fingerprint:
            raise ProfileError(
                f"The profile {profile.name!r} was made with other weights ({profile.model}) than those of "
                f"{self.info.name}; enroll again with this model.",
                "profile_model",
            )
        return torch.from_numpy(profile.offset)

    def _read(self, source: bytes | Path | Waveform) -> _Recording:
        """Decodes a recording, resamples it for the model and detects speech in it."""
        waveform = source if isinstance(source, Waveform) else decode(source, self._max_seconds)
        samples = resample(waveform, self.info.sample_rate).samples
        return _Recording(waveform, samples, find_speech(samples))


def load_predictor(name_or_path: str | Path, settings: Settings) -> Predictor:
    """Loads a model by its name in the weights folder, or by path.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    folder = find_checkpoint(str(name_or_path), settings.weights)
    return Predictor(load_checkpoint(folder), settings.max_audio_seconds)


def _warnings(recording: _Recording, results: WindowResults) -> list[str]:
    """Returns the codes of the warnings about a recording."""
    waveform, speech = recording.waveform, recording.speech
    level = np.abs(waveform.samples)
    found = []
    if (level >= 0.999).mean() > CLIPPED_SHARE:
        found.append("overdriven")
    if level.max(initial=0) < QUIET_PEAK:
        found.append("quiet")
    if waveform.sample_rate < 16_000:
        found.append("narrow_band")
    if 0 < speech.seconds < SHORT_SPEECH_SECONDS:
        found.append("little_speech")
    if speech.active.any() and not results.windows:
        found.append("no_voice")
    return found
