"""Uses a model: recording in, ``Prediction`` out; the one path behind every door."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from ser.audio import Waveform, decode, resample
from ser.calibration import candidates, prediction_set
from ser.checkpoint import Checkpoint, ModelInfo, find_checkpoint, load_checkpoint
from ser.errors import ProfileError, SettingsError
from ser.labels import canonical_order
from ser.layers import Voices, variety
from ser.prediction import Prediction
from ser.profiles import Profile, check_name
from ser.recipe import NetworkOutput
from ser.settings import Settings
from ser.speech import Speech, find_speech
from ser.timeline import DEFAULT_GRID, Grid, Window, dominant, pool, segments, smooth, timeline, transitions, windows

BATCH_SECONDS = 192  # of recording that go through the network at a time; bounds the memory
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
            AudioError: the recording cannot be used.
            ProfileError: the profile is of another model.
            SettingsError: the model was not measured at that coverage.
        """
        share = None if coverage is None else self._set_threshold(coverage)
        voice = None if profile is None else self._voice(profile)
        source = Path(source) if isinstance(source, str) else source
        file = file or (source.name if isinstance(source, Path) else "")
        waveform, samples, speech = self._hear(source)
        warnings = _warnings(waveform, speech)
        if not speech.active.any():
            return self._answer(file, waveform, speech, warnings, None, [], grid, share)
        parts = windows(speech, grid)
        by_window, embeddings = self._outputs(samples, speech, parts, voice)
        answer = self._answer(file, waveform, speech, warnings, by_window, parts, grid, share)
        return replace(answer, intensity=self._intensity(embeddings, parts))

    @torch.inference_mode()
    def _intensity(self, embeddings: np.ndarray, parts: list[Window]) -> float | None:
        """How strongly the emotion is expressed, from embeddings (windows, size)."""
        upper = getattr(self._checkpoint.network, "upper", None)
        if upper is None:
            return None
        by_window = torch.sigmoid(upper.intensity(torch.from_numpy(embeddings))).numpy()
        return round(float(pool(by_window, parts)[0]), 4)

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
                heard.append((*self._outputs(samples, speech, windows(speech), None), speech.seconds))
        if not heard:
            raise ProfileError(f"Nobody speaks in the {len(sources)} recordings; record speech.", "profile_empty")
        vectors = torch.tensor(np.stack([embeddings.mean(axis=0) for _, embeddings, _ in heard]))
        probabilities = torch.tensor(np.stack([shares.mean(axis=0) for shares, _, _ in heard])).float()
        return Profile(
            name=name,
            model=self.info.name,
            weights=self._fingerprint(),
            clips=len(heard),
            speech_seconds=round(sum(seconds for _, _, seconds in heard), 1),
            variety=round(variety(probabilities), 3),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            offset=voices.offset(vectors, probabilities).numpy(),
        )

    def _voices(self) -> Voices:
        upper = getattr(self._checkpoint.network, "upper", None)
        if upper is None:
            raise ProfileError(f"{self.info.name} cannot be calibrated to a voice; choose another.", "profile_model")
        return upper.voices

    def _voice(self, profile: Profile) -> torch.Tensor:
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
        return hashlib.sha256(self._checkpoint.network.upper.head.weight.detach().numpy().tobytes()).hexdigest()[:16]

    def _hear(self, source: bytes | Path | Waveform) -> tuple[Waveform, np.ndarray, Speech]:
        """Returns a recording as it came, at the model's sampling rate, and where speech is in it."""
        waveform = source if isinstance(source, Waveform) else decode(source, self._max_seconds)
        samples = resample(waveform, self.info.sample_rate).samples
        return waveform, samples, find_speech(samples)

    @torch.inference_mode()
    def _outputs(
        self, samples: np.ndarray, speech: Speech, parts: list[Window], voice: torch.Tensor | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns calibrated probabilities (windows, classes) and embeddings (windows, size)."""
        spans = [speech.span(window.span.start, window.span.stop) for window in parts]
        clips = [torch.from_numpy(np.ascontiguousarray(samples[span])) for span in spans]
        size = max(1, BATCH_SECONDS * self.info.sample_rate // max(len(clip) for clip in clips))
        batches = [clips[start : start + size] for start in range(0, len(clips), size)]
        outputs = [self._forward(batch, voice) for batch in batches]
        logits, embeddings = (torch.cat([output[i] for output in outputs]) for i in (0, 1))
        probabilities = torch.softmax(logits.double() / self.info.calibration.temperature, dim=1)
        return probabilities.numpy(), embeddings.numpy()

    def _forward(self, clips: list[torch.Tensor], voice: torch.Tensor | None) -> NetworkOutput:
        lengths = torch.tensor([len(clip) for clip in clips])
        batch = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
        frames = self._checkpoint.features(batch, lengths)
        return self._checkpoint.network(*frames) if voice is None else self._checkpoint.network(*frames, voice)

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
