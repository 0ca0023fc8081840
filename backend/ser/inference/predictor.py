"""Predicts the emotion of a recording with a loaded model, for the library, the API and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from ser.audio.vad import Speech, find_speech
from ser.audio.waveform import SAMPLE_RATE, Waveform, decode, resample
from ser.core.errors import ProfileError, SettingsError
from ser.core.labels import canonical_order, choose_emotions
from ser.core.prediction import Prediction
from ser.core.settings import Settings
from ser.core.speaker_profile import Profile, check_name
from ser.inference.adaptation import Speaker, estimate
from ser.inference.attribution import Attribution
from ser.inference.postprocess import WindowResults, make_prediction, pool_windows
from ser.inference.runner import CheckCancelled, Clip, ClipOutputs, NetworkRunner, cut_speech
from ser.inference.windowing import DEFAULT_GRID, Grid, Window, check_work, make_windows
from ser.models.calibration import FAMILIAR
from ser.models.checkpoint import Checkpoint, ModelInfo, find_checkpoint, load_checkpoint
from ser.models.encoder import EncoderHeads
from ser.models.speaker_offset import SpeakerEstimate

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


@dataclass(frozen=True)
class Encoded:
    """What the network found in a recording, before the answer: small, without audio.

    Attributes:
        file: name for the prediction.
        duration_seconds: length of the recording in s.
        speech: where speech is in it.
        grid: the windows it is divided into.
        windows: those that the network classifies as speech.
        outputs: of the network for these windows; None if there are none.
        warnings: codes of the warnings about the recording.
    """

    file: str
    duration_seconds: float
    speech: Speech
    grid: Grid
    windows: Sequence[Window]
    outputs: ClipOutputs | None
    warnings: Sequence[str]

    @property
    def distance(self) -> float:
        """Returns how unlike those of training the recording is; see ``ser.models.domain_distance``."""
        return 0.0 if self.outputs is None else float(pool_windows(self.outputs.distances, self.windows))

    @property
    def unfamiliar(self) -> bool:
        """Whether the recording is unlike those of training."""
        return self.distance > FAMILIAR

    @property
    def clips(self) -> np.ndarray:
        """Returns as how many clips each window counts, (windows,): overlapping windows count less than one each."""
        overlap = self.grid.window_seconds / self.grid.hop_seconds
        return np.full(len(self.windows), 1.0 if len(self.windows) == 1 else min(1.0, 1 / overlap))


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

    @property
    def adapts(self) -> bool:
        """Whether the model can adapt to a speaker."""
        return self._checkpoint.network.supports_profiles

    def predict(
        self,
        source: bytes | str | Path | Waveform,
        file: str = "",
        *,
        grid: Grid = DEFAULT_GRID,
        coverage: int | None = None,
        profile: Profile | None = None,
        emotions: str | Sequence[str] | None = None,
        adapt: bool = True,
    ) -> Prediction:
        """Predicts the emotion of a recording.

        Args:
            source: the file's content, its path, or a waveform.
            file: name for the prediction; the name of the path if empty.
            grid: windows to divide it into, such as ``make_grid(window_seconds=2)``; by default windows of 3 s every
                second, and a single window for a recording of up to 10 s.
            coverage: percent of recordings whose ``prediction_set`` should contain the true emotion; None for no set.
            profile: speaker profile to adapt to.
            emotions: those to choose the answer from, two or more, such as ``("angry", "happy", "neutral")``; synonyms
                and one text separated by commas are read as well. None for all emotions of the model.
            adapt: whether to adapt to the speaker of a recording of several windows, where the model can; has no effect
                with a profile.

        Raises:
            AudioError: the recording cannot be used, or has more windows than ``check_work`` allows.
            ProfileError: the profile is of another model.
            SettingsError: the model has no threshold for that coverage, or the chosen emotions are invalid
                (``emotions_invalid``).
        """
        return self.analyse(
            source,
            file,
            grid=grid,
            coverage=coverage,
            profile=profile,
            emotions=emotions,
            adapt=adapt,
            explain=False,
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
        adapt: bool = True,
        explain: bool = True,
        check_cancelled: CheckCancelled = lambda: None,
    ) -> Analysis:
        """Predicts the emotion of a recording like ``predict``, and returns the intermediate results as well.

        Args:
            source, file, grid, coverage, profile, emotions, adapt: as for ``predict``.
            explain: whether to compute the attribution; doubles the time for a network without attention.
            check_cancelled: called between batches of a long recording; an exception from it stops the analysis.

        Raises:
            AudioError, ProfileError, SettingsError: as ``predict``.
        """
        chosen = choose_emotions(emotions, self.info.labels)
        self.check_coverage(coverage, chosen)
        speaker = None if profile is None else self.speaker_of(profile)
        recording = self._read(source)
        encoded, clips = self._encode(recording, _name(source, file), grid, check_cancelled)
        if speaker is None and adapt:
            speaker = self.common_speaker([encoded])
        prediction = self.answer(encoded, coverage=coverage, emotions=chosen, speaker=speaker)
        attribution = None
        if explain and encoded.outputs is not None:
            classes = [self.info.labels.index(label) for label in chosen or self.info.labels]
            estimate = None if speaker is None else speaker.estimate
            attribution = self._runner.attribute(
                clips, encoded.outputs, estimate, len(recording.samples), classes, check_cancelled
            )
        return Analysis(prediction, recording.samples, recording.speech, attribution)

    def encode(
        self,
        source: bytes | str | Path | Waveform,
        file: str = "",
        *,
        grid: Grid = DEFAULT_GRID,
        check_cancelled: CheckCancelled = lambda: None,
    ) -> Encoded:
        """Runs the network on a recording without answering yet, so that other recordings of its speaker can follow.

        Args:
            source, file, grid: as for ``predict``.
            check_cancelled: as for ``analyse``.

        Raises:
            AudioError: as ``predict``.
        """
        return self._encode(self._read(source), _name(source, file), grid, check_cancelled)[0]

    def estimate_speaker(self, encoded: Sequence[Encoded]) -> Speaker | None:
        """Estimates what distinguishes a speaker's voice, from recordings without labels.

        Args:
            encoded: recordings of one speaker.

        Returns:
            The speaker, or None if no recording contains speech.

        Raises:
            ProfileError: the model cannot adapt to speakers.
        """
        heads = self._heads()
        spoken = [one for one in encoded if one.outputs is not None]
        if not spoken:
            return None
        embeddings = torch.cat([one.outputs.embeddings for one in spoken])
        seconds = [window.speech_seconds for one in spoken for window in one.windows]
        return estimate(heads, embeddings, np.concatenate([one.clips for one in spoken]), np.array(seconds))

    def common_speaker(self, encoded: Sequence[Encoded]) -> Speaker | None:
        """Returns the speaker that the answers to recordings of one speaker are adapted to.

        Args:
            encoded: the recordings.

        Returns:
            The speaker, or None where there is nothing to adapt to: no speech, or a single window of it, which cannot
            be compared with others. None as well if the model cannot adapt.
        """
        enough = sum(len(one.windows) for one in encoded) > 1
        return self.estimate_speaker(encoded) if self.adapts and enough else None

    def estimate_from(self, embeddings: np.ndarray, clips: np.ndarray, speech_seconds: np.ndarray) -> Speaker:
        """Estimates a speaker from stored embeddings; see ``ser.inference.adaptation.estimate``.

        Raises:
            ProfileError: the model cannot adapt to speakers.
        """
        return estimate(self._heads(), torch.from_numpy(embeddings), clips, speech_seconds)

    def answer(
        self,
        encoded: Encoded,
        *,
        coverage: int | None = None,
        emotions: str | Sequence[str] | None = None,
        speaker: Speaker | None = None,
    ) -> Prediction:
        """Answers an encoded recording.

        Args:
            encoded: what ``encode`` of this model returned.
            coverage, emotions: as for ``predict``.
            speaker: to adapt to; None for an unknown one.

        Raises:
            SettingsError: as ``predict``.
        """
        chosen = choose_emotions(emotions, self.info.labels)
        self.check_coverage(coverage, chosen)
        calibration = self.info.calibration.among(chosen, unfamiliar=encoded.unfamiliar)
        found = [*encoded.warnings, *(["unlike_training"] if encoded.unfamiliar else [])]
        if encoded.speech.active.any() and not encoded.windows:
            found.append("no_voice")
        return make_prediction(
            self.info,
            self._window_results(encoded, chosen, speaker),
            file=encoded.file,
            duration_seconds=encoded.duration_seconds,
            warnings=found,
            unsure_below=calibration.unsure_below,
            set_threshold=None if coverage is None else calibration.set_thresholds.get(str(coverage), 0.0),
            adapted_seconds=0.0 if speaker is None or not encoded.windows else speaker.seconds,
        )

    def _encode(
        self, recording: _Recording, file: str, grid: Grid, check_cancelled: CheckCancelled
    ) -> tuple[Encoded, list[Clip]]:
        """Runs the network on the windows with speech; returns what it found and the audio of these windows."""
        check_work(grid, len(recording.samples) / SAMPLE_RATE, self._max_seconds)
        speech = recording.speech
        windows = make_windows(speech, grid) if speech.active.any() else []
        clips = cut_speech(recording.samples, speech, windows)
        outputs = self._runner.run(clips, check_cancelled) if clips else None
        kept: list[Window] = []
        if outputs is not None:
            kept = [window for window, spoken in zip(windows, outputs.is_speech, strict=True) if spoken]
            clips = [clip for clip, spoken in zip(clips, outputs.is_speech, strict=True) if spoken]
        found = Encoded(
            file=file,
            duration_seconds=recording.waveform.seconds,
            speech=speech,
            grid=grid,
            windows=kept,
            outputs=None if outputs is None or not kept else outputs.only_speech(),
            warnings=_warnings(recording),
        )
        return found, clips

    def _window_results(self, encoded: Encoded, emotions: tuple[str, ...], speaker: Speaker | None) -> WindowResults:
        """The calibrated probabilities of every window, of the chosen emotions in canonical order."""
        columns = emotions or canonical_order(self.info.labels)
        outputs = encoded.outputs
        if outputs is None:
            probabilities, intensities = np.zeros((0, len(columns))), None
        else:
            logits = outputs.logits
            if speaker is not None:
                with torch.inference_mode():
                    logits = self._heads().adapt(logits, outputs.embeddings, speaker.estimate)
            probabilities = self.info.calibration.probabilities(
                logits.numpy(), self.info.labels, columns, distance=encoded.distance
            )
            intensities = outputs.intensities
        return WindowResults(
            speech=encoded.speech,
            windows=encoded.windows,
            probabilities=probabilities,
            grid=encoded.grid,
            intensities=intensities,
            emotions=emotions,
        )

    def check_coverage(self, coverage: int | None, emotions: Sequence[str] = ()) -> None:
        """Checks that the model has prediction sets of a coverage.

        Args:
            coverage: in percent; None for no sets.
            emotions: the chosen ones; empty for all.

        Raises:
            SettingsError: it has none.
        """
        known = self.info.calibration.among(emotions).set_thresholds
        if coverage is not None and str(coverage) not in known:
            among = f" among {len(emotions)} emotions" if emotions else ""
            raise SettingsError(
                f"{self.info.name} has no prediction sets{among} with a coverage of {coverage} %; "
                f"available: {', '.join(known) or 'none'}."
            )

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
        encoded = [self.encode(source) for source in sources]
        spoken = [one for one in encoded if one.outputs is not None]
        speaker = self.estimate_speaker(spoken)
        if speaker is None:
            raise ProfileError(f"The recordings ({len(sources)}) contain no speech; record speech.", "profile_empty")
        return Profile(
            name=name,
            model=self.info.name,
            weights=heads.fingerprint,
            clips=len(spoken),
            speech_seconds=round(sum(one.speech.seconds for one in spoken), 1),
            variety=round(speaker.variety, 3),
            share=speaker.estimate.share,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            offset=speaker.estimate.offset.numpy(),
        )

    def speaker_of(self, profile: Profile) -> Speaker:
        """Returns the speaker of a profile.

        Raises:
            ProfileError: the profile is of another model or of other weights.
        """
        if profile.weights != self._heads().fingerprint:
            raise ProfileError(
                f"The profile {profile.name!r} was made with other weights ({profile.model}) than those of "
                f"{self.info.name}; enroll again with this model.",
                "profile_model",
            )
        estimate = SpeakerEstimate(torch.from_numpy(profile.offset), profile.share)
        return Speaker(estimate=estimate, seconds=profile.speech_seconds, variety=profile.variety)

    def _heads(self) -> EncoderHeads:
        """Returns the heads that estimate speakers and adapt to them."""
        network = self._checkpoint.network
        if not network.supports_profiles:
            raise ProfileError(
                f"{self.info.name} cannot adapt to speakers; choose another model, such as whisper.", "profile_model"
            )
        return network.heads

    def _read(self, source: bytes | str | Path | Waveform) -> _Recording:
        """Decodes a recording, resamples it for the model and detects speech in it."""
        source = Path(source) if isinstance(source, str) else source
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


def _name(source: bytes | str | Path | Waveform, file: str) -> str:
    return file or (Path(source).name if isinstance(source, str | Path) else "")


def _warnings(recording: _Recording) -> list[str]:
    """Returns the codes of the warnings about a recording that do not depend on the model."""
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
    return found
