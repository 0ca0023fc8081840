"""Defines the result types: one object and one JSON shape for API, command line, batch and live use.

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
    "overdriven": "The recording is overdriven: its loudest parts are clipped, which can be mistaken for anger.",
    "quiet": "The recording is very quiet; move closer to the microphone.",
    "narrow_band": "The recording has the narrow bandwidth of a telephone; the models were trained on wider audio.",
    "little_speech": "The recording has less than half a second of speech, so the answer is less reliable.",
    "unlike_training": "The recording is unlike anything the model was trained on, so the answer is less reliable.",
    "no_voice": "There is sound, but it resembles music or noise more than a voice.",
}  # code -> sentence in English; the page translates the code


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
    """The emotion probabilities of each window of a recording, smoothed over neighbouring windows.

    Attributes:
        window_seconds: length of a window in s.
        hop_seconds: from the start of one window to the start of the next in s.
        start: start of each window with speech in s.
        end: its end in s.
        probabilities: emotion -> its probability in each window.
    """

    window_seconds: float
    hop_seconds: float
    start: list[float]
    end: list[float]
    probabilities: dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The emotion of a recording, with its confidence and how both change over time.

    Attributes:
        file: name of the recording as given by the caller.
        state: ``emotion``; ``unsure`` if the probability of the likeliest emotion is below the model's threshold
            (``emotion`` is then the likeliest and ``candidates`` lists the likely ones); or ``no_speech``.
        emotion: the likeliest emotion, None without speech.
        confidence: calibrated probability of ``emotion`` in percent, None without speech.
        probabilities: emotion -> probability in canonical order, summing to 1; of the chosen emotions only, see
            ``emotions``; empty without speech.
        candidates: the likely emotions, likeliest first; empty unless unsure.
        model: name of the checkpoint.
        duration_seconds: length of the recording in s.
        speech_seconds: amount of speech in s.
        segments: the answer over time.
        warnings: sentences for a person, for instance that the recording is clipped.
        warning_codes: their codes, keys of ``WARNINGS``; empty in results stored before there were codes.
        dominant: the emotion of most of the speech, None without speech.
        transitions: where one emotion follows another.
        timeline: the probabilities of each window, None without speech.
        prediction_set: if a coverage was requested, a set of emotions, likeliest first, that contains the right one
            that often for recordings like those of the evaluation; else None.
        intensity: how strongly the emotion is expressed, from 0 to 1; it ranks recordings and is not a probability.
            None without speech and from models without this output.
        emotions: the emotions that the answer was chosen from, in canonical order; empty if these are all emotions of
            the model.
        adapted_seconds: amount of speech of the speaker that the answer is adapted to, in s; 0 for an unknown one.
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
    emotions: list[str] = field(default_factory=list)
    adapted_seconds: float = 0.0

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
        among = f" among {', '.join(self.emotions)}" if self.emotions else ""
        held = f"; one of {', '.join(self.prediction_set)}" if self.prediction_set else ""
        if self.state == "unsure":
            close = " or ".join(f"{label} ({100 * self.probabilities[label]:.1f} %)" for label in self.candidates)
            return f"{self.file}: unsure, most likely {close}{among}{held}"
        return f"{self.file}: {self.emotion} ({self.confidence:.1f} %){among}{held}"

    def _repr_html_(self) -> str:
        """Returns what a Jupyter notebook shows: the answer, a bar for every emotion, and the warnings."""
        answer = escape(self.to_text().removeprefix(f"{self.file}: "))
        bars = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(label)}</th>'
            f'<td style="width:16em"><div style="background:#4263eb;height:.8em;width:{100 * share:.1f}%"></div></td>'
            f"<td>{100 * share:.1f} %</td></tr>"
            for label, share in sorted(self.probabilities.items(), key=lambda pair: -pair[1])
        )
        notes = "".join(f"<p>{escape(warning)}</p>" for warning in self.warnings)
        spoken = f"{self.speech_seconds:.1f} s of speech in {self.duration_seconds:.1f} s, model {escape(self.model)}"
        return f"<p>{escape(self.file)}: <strong>{answer}</strong><br>{spoken}</p><table>{bars}</table>{notes}"
