"""Describes a voice by a few measures with unit and explanation: samples -> ``Voice``.

Only the speech of a recording is measured, so that long pauses and background noise have no effect. The measures come
from ``ser.features.low_level``; their explanations are here, because editing that file invalidates the feature cache.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ser.audio.vad import Speech
from ser.audio.waveform import MIN_SECONDS, SAMPLE_RATE
from ser.features.functionals import names, statistics
from ser.features.low_level import (
    HOP_SAMPLES,
    find_onsets,
    find_pitch,
    flatness,
    mel_decibel,
    moments,
    onset_strength,
    rolloff,
    root_mean_square,
    spectrogram,
    zero_crossing_rate,
)

MEASURED_SECONDS = 60.0  # of speech; more would add nothing and cost memory
SILENCE_DBFS = -120.0  # stands for the level of digital silence
GATE_DB = 20.0  # frames this far below the average are pauses, as in EBU Tech 3342's loudness range
LEVEL_SPREAD = (10, 95)  # percentiles, EBU Tech 3342's
ONSET_GAP_FRAMES = round(0.15 * SAMPLE_RATE / HOP_SAMPLES)  # so RAVDESS's sentences of 7 syllables have 7.3 onsets
PITCH_SPREAD = (5, 95)  # percentiles; the extremes would be single wrong frames


@dataclass(frozen=True)
class Descriptor:
    """One measure of a voice.

    Attributes:
        name: stable identifier.
        value: in ``unit``; None if it cannot be measured, such as the pitch of a whisper.
        unit: empty for a plain number.
        meaning: an explanation in one sentence.
    """

    name: str
    value: float | None
    unit: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Voice:
    """The measures of the voice in a recording.

    Attributes:
        duration_seconds: length of the recording in s.
        speech_seconds: amount of speech in s.
        measured_seconds: amount of speech that was measured in s, at most ``MEASURED_SECONDS``.
        descriptors: always the same ones in the same order.
        statistics: name -> value of ``ser.features.functionals.statistics``; empty without speech, or if not
            requested.
    """

    duration_seconds: float
    speech_seconds: float
    measured_seconds: float
    descriptors: list[Descriptor]
    statistics: dict[str, float]

    @property
    def cut(self) -> bool:
        """Whether there is more speech than was measured."""
        return self.measured_seconds >= MEASURED_SECONDS

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON shape as plain Python objects."""
        state = "speech" if self.speech_seconds else "no_speech"
        return {"state": state, **asdict(self)}


def measure(samples: np.ndarray, speech: Speech, *, everything: bool) -> Voice:
    """Measures the voice in a recording.

    Args:
        samples: float32 (samples,) at 16 kHz.
        speech: where speech is in it.
        everything: whether to compute the statistics too, which takes another second.
    """
    voice = cut_to_speech(samples, speech)
    measured = voice if speech.active.any() else samples[:0]
    values = _levels(voice) | (_values(voice) if len(measured) else {})
    values |= {"duration": len(samples) / SAMPLE_RATE, "speech": speech.seconds}
    found = statistics(voice, SAMPLE_RATE).tolist() if everything and len(measured) else []
    return Voice(
        duration_seconds=round(values["duration"], 3),
        speech_seconds=round(speech.seconds, 3),
        measured_seconds=round(len(measured) / SAMPLE_RATE, 3),
        descriptors=[Descriptor(name, _rounded(values.get(name)), *rest) for name, *rest in _MEANINGS],
        statistics=dict(zip(names(), found, strict=True)) if found else {},
    )


def cut_to_speech(samples: np.ndarray, speech: Speech) -> np.ndarray:
    """Returns the speech of a recording, one segment after the other, at most ``MEASURED_SECONDS`` of it.

    Args:
        samples: float32 (samples,) at 16 kHz.
        speech: where speech is in it. Where there is none, or less than can be measured, what is around it is returned
            too: the recording, up to the same length.
    """
    longest = int(MEASURED_SECONDS * SAMPLE_RATE)
    bounds = [(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)) for start, end in speech.segments()]
    joined = np.concatenate([samples[:0], *(samples[start:end] for start, end in bounds)])
    if len(joined) < MIN_SECONDS * SAMPLE_RATE:
        joined = samples[speech.span()]
    return (joined if len(joined) >= MIN_SECONDS * SAMPLE_RATE else samples)[:longest]


_MEANINGS = (
    ("duration", "s", "Length of the recording."),
    ("speech", "s", "Amount of speech; if there is any, the other measures are taken from it."),
    ("pitch", "Hz", "Average pitch of the voice."),
    ("pitch_low", "Hz", "The pitch is lower than this 5 % of the time."),
    ("pitch_high", "Hz", "The pitch is higher than this 5 % of the time."),
    ("pitch_range", "semitones", "From the low to the high pitch; an octave has 12, a monotone voice few."),
    ("voiced", "%", "Share of the speech with a pitch; a whisper has none."),
    ("loudness", "dBFS", "Average level (RMS); 0 is full scale, 6 dB less is half the amplitude."),
    ("loudness_range", "dB", "From the quiet to the loud parts of the speech, without pauses."),
    ("onset_rate", "1/s", "Sounds that start per second, roughly syllables: the speaking tempo."),
    ("brightness", "Hz", "Centre of the spectrum; a tense or sharp voice is brighter."),
    ("rolloff", "Hz", "85 % of the spectrum lies below this."),
    ("flatness", "", "0 is a pure tone, 1 is noise; a breathy voice has more."),
    ("zero_crossings", "1/s", "How often the waveform changes sign; highest for hissing sounds."),
)


def _levels(voice: np.ndarray) -> dict[str, float]:
    """Returns loudness in dBFS and its range in dB."""
    average = decibel(np.sqrt(np.mean(voice**2, dtype=np.float64)))
    frames = decibel(root_mean_square(voice))
    quiet, loud = np.percentile(frames[frames >= average - GATE_DB], LEVEL_SPREAD)
    return {"loudness": float(average), "loudness_range": loud - quiet}


def decibel(level: np.ndarray) -> np.ndarray:
    """Returns levels in dBFS; full scale is 1."""
    return 20 * np.log10(np.maximum(level, 10 ** (SILENCE_DBFS / 20)))


def _values(voice: np.ndarray) -> dict[str, float]:
    """Returns the measures that need speech."""
    magnitude = spectrogram(voice)
    return _pitches(voice) | {
        "onset_rate": _onsets(mel_decibel(magnitude)) / (len(voice) / SAMPLE_RATE),
        "brightness": moments(magnitude)[0].mean(),
        "rolloff": rolloff(magnitude).mean(),
        "flatness": flatness(magnitude).mean(),
        "zero_crossings": zero_crossing_rate(voice).mean() * SAMPLE_RATE,
    }


def _pitches(voice: np.ndarray) -> dict[str, float]:
    """Returns pitch in Hz, its range in semitones and the share of voiced frames in percent."""
    curve = find_pitch(voice)
    if not len(curve.voiced):
        return {"voiced": 0.0}
    low, high = np.percentile(curve.voiced, PITCH_SPREAD)
    return {
        "pitch": curve.voiced.mean(),
        "pitch_low": low,
        "pitch_high": high,
        "pitch_range": 12 * np.log2(high / low),
        "voiced": 100 * len(curve.voiced) / len(curve.hertz),
    }


def _onsets(mel_db: np.ndarray) -> int:
    """Returns the number of onsets in a mel spectrogram (128, frames) in dB."""
    return len(find_onsets(onset_strength(mel_db), ONSET_GAP_FRAMES))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
