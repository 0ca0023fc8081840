"""The result types: one object and one JSON shape for every door (API, command line, batch, live).

Fields may be added, never renamed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any, Literal, Self

State = Literal["emotion", "unsure", "no_speech"]

WARNINGS = {
    "overdriven": "The recording is overdriven: its loudest parts are cut off, which can look like anger.",
    "quiet": "The recording is very quiet; move closer to the microphone.",
    "narrow_band": "The recording has a telephone's narrow band; the models were trained on a wider one.",
    "little_speech": "There is less than half a second of speech; the answer is less reliable.",
    "no_voice": "There is sound, but it is more like music or noise than like a voice.",
}  # code -> the sentence; who speaks another language than English says the code in words of its own


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of speech with one answer.

    Attributes:
        start: in s.
        end: in s.
        emotion: the likeliest.
        confidence: its mean probability over the stretch in percent.
        state: ``emotion`` or ``unsure``.
    """

    start: float
    end: float
    emotion: str
    confidence: float
    state: Literal["emotion", "unsure"] = "emotion"


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One emotion follows another, ``at`` s from the beginning."""

    at: float
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """What each window of a recording carries, smoothed over neighbouring windows.

    Attributes:
        window_seconds: length of a window in s.
        hop_seconds: from the beginning of one to that of the next in s.
        start: where each window with speech begins in s.
        end: where it ends in s.
        probabilities: emotion -> its probability in each of them.
    """

    window_seconds: float
    hop_seconds: float
    start: list[float]
    end: list[float]
    probabilities: dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a voice carries, and how sure that is.

    Attributes:
        file: name of the recording as the caller gave it.
        state: ``emotion``; ``unsure`` when the likeliest emotion is more likely wrong than the model's threshold
            allows (``emotion`` is then the likeliest and ``candidates`` lists what it may be); or ``no_speech``.
        emotion: the likeliest emotion, None without speech.
        confidence: calibrated probability of ``emotion`` in percent, None without speech.
        probabilities: emotion -> probability in canonical order, summing to 1; empty without speech.
        candidates: likeliest emotions first; only filled when unsure.
        model: name of the checkpoint.
        duration_seconds: length of the recording in s.
        speech_seconds: how much of it is speech in s.
        segments: the answer over time.
        warnings: sentences for a person, such as that the recording clips.
        warning_codes: their stable words, of ``WARNINGS``; none in what was kept before there were any.
        dominant: emotion that the most speech carries, None without speech.
        transitions: where one emotion follows another.
        timeline: the probabilities window by window, None without speech.
        prediction_set: where a coverage was asked for, the emotions that hold the right one so often, likeliest first,
            for recordings like those that the model was measured on; else None.
        intensity: how strongly the emotion is expressed, from 0 to 1; it ranks recordings and is no probability. None
            without speech and from models that do not tell.
    """

    file: str
    state: State
    emotion: str | None
    confidence: float | None
    probabilities: dict[str, float]
    candidates: list[str]
    model: str
    duration_seconds: float
    speech_seconds: float
    segments: list[Segment] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    warning_codes: list[str] = field(default_factory=list)
    dominant: str | None = None
    transitions: list[Transition] = field(default_factory=list)
    timeline: Timeline | None = None
    prediction_set: list[str] | None = None
    intensity: float | None = None

    @classmethod
    def from_dict(cls, shape: Mapping[str, Any]) -> Self:
        """Reads what ``to_dict`` returned."""
        course = shape["timeline"]
        parts = {
            "segments": [Segment(**one) for one in shape["segments"]],
            "transitions": [Transition(**one) for one in shape["transitions"]],
            "timeline": None if course is None else Timeline(**course),
        }
        return cls(**{**shape, **parts})

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON shape as plain Python objects."""
        return asdict(self)

    def to_json(self, indent: int | None = None) -> str:
        """Returns the JSON shape as text; one line when ``indent`` is None."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def to_text(self) -> str:
        """Returns one line for a person."""
        if self.state == "no_speech":
            return f"{self.file}: no speech"
        among = f"; one of {', '.join(self.prediction_set)}" if self.prediction_set else ""
        if self.state == "unsure":
            close = " or ".join(f"{label} ({100 * self.probabilities[label]:.1f} %)" for label in self.candidates)
            return f"{self.file}: unsure, most like {close}{among}"
        return f"{self.file}: {self.emotion} ({self.confidence:.1f} %){among}"

    def _repr_html_(self) -> str:
        """What a Jupyter notebook shows: the answer, a bar for every emotion, and the warnings."""
        answer = escape(self.to_text().removeprefix(f"{self.file}: "))
        bars = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(label)}</th>'
            f'<td style="width:16em"><div style="background:#4263eb;height:.8em;width:{100 * share:.1f}%"></div></td>'
            f"<td>{100 * share:.1f} %</td></tr>"
            for label, share in sorted(self.probabilities.items(), key=lambda pair: -pair[1])
        )
        notes = "".join(f"<p>{escape(warning)}</p>" for warning in self.warnings)
        heard = f"{self.speech_seconds:.1f} s of speech in {self.duration_seconds:.1f} s, model {escape(self.model)}"
        return f"<p>{escape(self.file)}: <strong>{answer}</strong><br>{heard}</p><table>{bars}</table>{notes}"
