"""Writes predictions in formats that other programs read: CSV, Audacity labels, TextGrid, WebVTT, SRT, RTTM.

Each format is one function from predictions to text; ``FORMATS`` lists them. All but CSV describe one recording. A
user's marks are written where the format supports them: in Audacity labels and TextGrid.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from ser.core.labels import EMOTIONS
from ser.core.prediction import Prediction, Segment

CSV_COLUMNS = (
    "file",
    "state",
    "emotion",
    "confidence",
    "candidates",
    "model",
    "duration_seconds",
    "speech_seconds",
    "warnings",
    *(f"probability_{emotion}" for emotion in EMOTIONS),
    "adapted_seconds",
)
TIER = "emotion"
MARKS_TIER = "marks"

Marks = Sequence[tuple[float, str]]  # s from the start, and a note of one line


class Writer(Protocol):
    """Writes a prediction, and the marks of its session where the format supports them."""

    def __call__(self, prediction: Prediction, marks: Marks = ()) -> str: ...


@dataclass(frozen=True)
class Form:
    """Name, file suffix and media type of a format."""

    name: str
    suffix: str
    media_type: str


@dataclass(frozen=True)
class Format(Form):
    """A format with the function that writes it."""

    write: Writer


def to_csv(predictions: Iterable[Prediction]) -> str:
    """One row per recording; lists are joined by semicolons; probabilities of labels that the model lacks are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\r\n")  # RFC 4180
    writer.writeheader()
    for one in predictions:
        shape = one.to_dict()
        row = {name: shape[name] for name in CSV_COLUMNS if name in shape}
        row |= {"candidates": ";".join(one.candidates), "warnings": ";".join(one.warnings)}
        row |= {f"probability_{label}": f"{share:.6f}" for label, share in one.probabilities.items()}
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return text.getvalue()


def to_audacity(prediction: Prediction, marks: Marks = ()) -> str:
    """A label track of Audacity: start and end in s and the label, separated by tabs; a mark has no length."""
    labels = [(one.start, one.end, _label(one)) for one in prediction.segments]
    labels += [(at, at, note) for at, note in marks]
    return "".join(f"{start:.6f}\t{end:.6f}\t{text}\n" for start, end, text in sorted(labels, key=lambda one: one[0]))


def to_textgrid(prediction: Prediction, marks: Marks = ()) -> str:
    """A TextGrid of Praat (long text format): a tier of intervals, with an empty label outside of speech, and a tier of
    points if there are marks.
    """
    end = max([prediction.duration_seconds, *(one.end for one in prediction.segments), *(at for at, _ in marks)])
    intervals = [
        (f"xmin = {start:.6f}", f"xmax = {stop:.6f}", f'text = "{label}"')
        for start, stop, label in _filled(prediction.segments, end)
    ]
    points = [(f"number = {at}", f'mark = "{_quoted(note)}"') for at, note in _points(marks)]
    tiers = [_tier("IntervalTier", TIER, end, "intervals", intervals)]
    if points:
        tiers.append(_tier("TextTier", MARKS_TIER, end, "points", points))
    head = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end:.6f}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, lines in enumerate(tiers, 1):
        head += [f"    item [{number}]:", *lines]
    return "\n".join(head) + "\n"


def to_webvtt(prediction: Prediction) -> str:
    """Subtitles for web players (W3C WebVTT)."""
    return "\n".join(["WEBVTT", "", *(_cue(one, ".") for one in prediction.segments)])


def to_srt(prediction: Prediction) -> str:
    """Subtitles for everything else (SubRip)."""
    return "\n".join(f"{number}\n{_cue(one, ',')}" for number, one in enumerate(prediction.segments, 1))


def to_rttm(prediction: Prediction) -> str:
    """Rich Transcription Time Marked: one SPEAKER line per segment, with the emotion in place of a speaker's name.

    Source: NIST, "Rich Transcription 2009 evaluation plan", appendix A.
    """
    name = "_".join(prediction.file.split()) or "recording"
    return "".join(
        f"SPEAKER {name} 1 {one.start:.3f} {one.end - one.start:.3f} <NA> <NA> {one.emotion} "
        f"{one.confidence / 100:.4f} <NA>\n"
        for one in prediction.segments
    )


def _unmarked(write: Callable[[Prediction], str]) -> Writer:
    """For a format that does not support marks."""
    return lambda prediction, marks=(): write(prediction)


FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format("csv", ".csv", "text/csv", _unmarked(lambda prediction: to_csv([prediction]))),
        Format("audacity", ".txt", "text/plain", to_audacity),
        Format("textgrid", ".TextGrid", "text/plain", to_textgrid),
        Format("webvtt", ".vtt", "text/vtt", _unmarked(to_webvtt)),
        Format("srt", ".srt", "application/x-subrip", _unmarked(to_srt)),
        Format("rttm", ".rttm", "text/plain", _unmarked(to_rttm)),
    )
}


def _label(segment: Segment) -> str:
    """Label of a segment, such as "happy 87 %" or "unsure: happy 34 %"."""
    unsure = "unsure: " if segment.state == "unsure" else ""
    return f"{unsure}{segment.emotion} {segment.confidence:.0f} %"


def _filled(segments: Sequence[Segment], end: float) -> Iterable[tuple[float, float, str]]:
    """Segments and the intervals between them, without gaps from 0 to the end."""
    last = 0.0
    for one in segments:
        if one.start > last:
            yield last, one.start, ""
        yield one.start, one.end, _label(one)
        last = one.end
    if end > last or not segments:
        yield last, end, ""


def _points(marks: Marks) -> Iterable[tuple[str, str]]:
    """Marks by time, each time once: a tier may not have two points at the same time."""
    for at, notes in groupby(sorted(marks), key=lambda one: f"{one[0]:.6f}"):
        yield at, "; ".join(note for _, note in notes)


def _tier(kind: str, name: str, end: float, things: str, entries: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a TextGrid's tier; every entry is a list of lines."""
    lines = [
        f'class = "{kind}"',
        f'name = "{name}"',
        "xmin = 0",
        f"xmax = {end:.6f}",
        f"{things}: size = {len(entries)}",
    ]
    for number, entry in enumerate(entries, 1):
        lines += [f"{things} [{number}]:", *(f"    {line}" for line in entry)]
    return [f"        {line}" for line in lines]


def _quoted(text: str) -> str:
    return text.replace('"', '""')


def _cue(segment: Segment, mark: str) -> str:
    return f"{_clock(segment.start, mark)} --> {_clock(segment.end, mark)}\n{_label(segment)}\n"


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{mark}{rest % 1000:03d}"


def _harmless(value: object) -> object:
    """Keeps spreadsheets from running a file's name as a formula (OWASP, "CSV injection")."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
