"""Uses a model: recording in, ``Prediction`` out; the one path behind every door."""

from __future__ import annotations

import hashlib
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
from ser.core.labels import canonical_order
from ser.core.prediction import Prediction
from ser.core.settings import Settings
from ser.core.speaker_profile import Profile, check_name
from ser.inference.attribution import Attention
from ser.inference.postprocess import Evidence, conclude
from ser.inference.runner import Between, Inference, cut
from ser.inference.windowing import DEFAULT_GRID, Grid, check_work, windows
from ser.models.checkpoint import Checkpoint, ModelInfo, find_checkpoint, load_checkpoint
from ser.models.speaker_offset import SpeakerOffset, variety

CLIPPED_SHARE = 0.001  # of the samples at full scale: the recording is overdriven
QUIET_PEAK = 0.01  # -40 dB below full scale
SHORT_SPEECH_SECONDS = 0.5


@dataclass(frozen=True)
class Analysis:
    """A recording with its answer, for those who want to know more.

    Attributes:
        prediction: the answer.
        samples: float32 (samples,) at 16 kHz, what was heard.
        speech: where speech is in them.
        attention: what counted; None without speech, when not asked for, or from a network that takes a window whole.
    """

    prediction: Prediction
    samples: np.ndarray
    speech: Speech
    attention: Attention | None


class Predictor:
    """A loaded model; safe to call from several threads."""

    def __init__(self, checkpoint: Checkpoint, max_seconds: float):
        self._checkpoint = checkpoint
        self._network = Inference(checkpoint)
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
        profile: Profile | None = None,
    ) -> Prediction:
        """Names the emotion of a recording.

        Args:
            source: the file's content, its path, or a waveform.
            file: name to put into the answer; a path's own name where empty.
            grid: windows to look at it in, such as ``make_grid(window_seconds=2)``; by default 3 s long ones every
                second, and a recording of up to 10 s as a whole.
            coverage: percent of the answers whose ``prediction_set`` is to hold the right emotion; None asks for none.
            profile: of the person who speaks, to whose voice the model is then calibrated.

        Raises:
            AudioError: the recording cannot be used, or has more windows than ``check_work`` allows.
            ProfileError: the profile is of another model.
            SettingsError: the model was not measured at that coverage.
        """
        return self.analyse(source, file, grid=grid, coverage=coverage, profile=profile, explain=False).prediction

    def analyse(
        self,
        source: bytes | str | Path | Waveform,
        file: str = "",
        *,
        grid: Grid = DEFAULT_GRID,
        coverage: int | None = None,
        profile: Profile | None = None,
        explain: bool = True,
        between: Between = lambda: None,
    ) -> Analysis:
        """Names the emotion of a recording as ``predict`` does, and keeps what it was found from.

        Args:
            source, file, grid, coverage, profile: as for ``predict``.
            explain: whether to say what counted; where a network has no attention, that takes about as long again.
            between: called now and then while a long recording is looked at; what it raises ends the work.

        Raises:
            AudioError, ProfileError, SettingsError: as ``predict``.
        """
        share = None if coverage is None else self._set_threshold(coverage)
        voice = None if profile is None else self._voice(profile)
        source = Path(source) if isinstance(source, str) else source
        waveform, samples, speech = self._hear(source)
        check_work(grid, len(samples) / SAMPLE_RATE, self._max_seconds)
        parts = windows(speech, grid) if speech.active.any() else []
        probabilities, attention, intensities = np.zeros((0, len(self.info.labels))), None, None
        warnings = _warnings(waveform, speech)
        if parts:
            clips = cut(samples, speech, parts)
            outputs = self._network.outputs(clips, voice, between)
            looks = (clips, outputs, voice, len(samples), between)
            attention = self._network.attention(*looks) if explain else None
            parts = [part for part, spoken in zip(parts, outputs.spoken, strict=True) if spoken]
            probabilities = outputs.probabilities[outputs.spoken][:, self._canonical]
            intensities = outputs.intensities[outputs.spoken] if outputs.intensities is not None and parts else None
            warnings += [] if parts else ["no_voice"]
        prediction = conclude(
            self.info,
            Evidence(speech=speech, windows=parts, probabilities=probabilities, grid=grid, intensities=intensities),
            file=file or (source.name if isinstance(source, Path) else ""),
            duration_seconds=waveform.seconds,
            warnings=warnings,
            set_threshold=share,
        )
        return Analysis(prediction, samples, speech, attention)

    def _set_threshold(self, coverage: int) -> float:
        known = self.info.calibration.set_thresholds
        if str(coverage) not in known:
            raise SettingsError(
                f"{self.info.name} has no sets that hold the right emotion {coverage} % of the time; "
                f"available: {', '.join(known) or 'none'}."
            )
        return known[str(coverage)]

    def enrol(self, name: str, sources: Sequence[bytes | str | Path | Waveform]) -> Profile:
        """Makes a profile of one person's voice; the recordings are best varied in mood, and need no labels.

        Args:
            name: of the profile.
            sources: recordings of that person, one or more.

        Raises:
            AudioError: a recording cannot be used.
            ProfileError: the name cannot be one, nobody speaks in any of the recordings, or the model cannot be
                calibrated to a voice.
        """
        check_name(name)
        voices = self._voices()
        heard = []
        for source in sources:
            _, samples, speech = self._hear(Path(source) if isinstance(source, str) else source)
            if speech.active.any():
                heard.append((self._network.outputs(cut(samples, speech, windows(speech))), speech.seconds))
        if not heard:
            raise ProfileError(f"Nobody speaks in the {len(sources)} recordings; record speech.", "profile_empty")
        vectors = torch.tensor(np.stack([outputs.embeddings.mean(axis=0) for outputs, _ in heard]))
        probabilities = torch.tensor(np.stack([outputs.probabilities.mean(axis=0) for outputs, _ in heard])).float()
        return Profile(
            name=name,
            model=self.info.name,
            weights=self._fingerprint(),
            clips=len(heard),
            speech_seconds=round(sum(seconds for _, seconds in heard), 1),
            variety=round(variety(probabilities), 3),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            offset=voices.estimate(vectors, probabilities).numpy(),
        )

    def _voices(self) -> SpeakerOffset:
        upper = getattr(self._checkpoint.network, "upper", None)
        if upper is None:
            raise ProfileError(f"{self.info.name} cannot be calibrated to a voice; choose another.", "profile_model")
        return upper.voices

    def _voice(self, profile: Profile) -> Tensor:
        """Returns the offset of a profile, (size,)."""
        self._voices()
        if profile.weights != self._fingerprint():
            raise ProfileError(
                f"The profile {profile.name!r} was made by other weights ({profile.model}) than those of "
                f"{self.info.name}; enrol again with this model.",
                "profile_model",
            )
        return torch.from_numpy(profile.offset)

    def _fingerprint(self) -> str:
        """Names the weights that a profile's numbers are about."""
        return hashlib.sha256(self._checkpoint.network.upper.head.shared.weight.detach().numpy().tobytes()).hexdigest()[
            :16
        ]

    def _hear(self, source: bytes | Path | Waveform) -> tuple[Waveform, np.ndarray, Speech]:
        """Returns a recording as it came, at the model's sampling rate, and where speech is in it."""
        waveform = source if isinstance(source, Waveform) else decode(source, self._max_seconds)
        samples = resample(waveform, self.info.sample_rate).samples
        return waveform, samples, find_speech(samples)

    @property
    def _canonical(self) -> list[int]:
        """Where each label in canonical order stands in the model's own."""
        return [self.info.labels.index(label) for label in canonical_order(self.info.labels)]


def load_predictor(name_or_path: str | Path, settings: Settings) -> Predictor:
    """Loads a model by its name in the weights folder, or by path.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    folder = find_checkpoint(str(name_or_path), settings.weights)
    return Predictor(load_checkpoint(folder), settings.max_audio_seconds)


def _warnings(waveform: Waveform, speech: Speech) -> list[str]:
    """Returns the codes of what makes an answer less reliable."""
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
