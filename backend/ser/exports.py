"""Owns the formats that other programs read: predictions -> text as CSV, Audacity labels, TextGrid, WebVTT, SRT, RTTM.

Each format is one function from predictions to text; ``FORMATS`` names them. All but CSV are about one recording.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ser.labels import EMOTIONS
from ser.prediction import Prediction, Segment

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
)
TIER = "emotion"


@dataclass(frozen=True)
class Format:
    """A format: name, ending of its files, media type, and the function that writes it."""

    name: str
    suffix: str
    media_type: str
    write: Callable[[Prediction], str]


def to_csv(predictions: Iterable[Prediction]) -> str:
    """One row a recording; lists are joined by semicolons, a probability that a model does not give is empty."""
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


def to_audacity(prediction: Prediction) -> str:
    """A label track of Audacity: start and end in s and the label, separated by tabs."""
    return "".join(f"{one.start:.6f}\t{one.end:.6f}\t{_label(one)}\n" for one in prediction.segments)


def to_textgrid(prediction: Prediction) -> str:
    """A TextGrid of Praat (long text format) with one interval tier; what is no speech has an empty label."""
    end = max([prediction.duration_seconds, *(one.end for one in prediction.segments)])
    intervals = list(_filled(prediction.segments, end))
    head = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end:.6f}",
        "tiers? <exists>",
        "size = 1",
        "item []:",
        "    item [1]:",
        '        class = "IntervalTier"',
        f'        name = "{TIER}"',
        "        xmin = 0",
        f"        xmax = {end:.6f}",
        f"        intervals: size = {len(intervals)}",
    ]
    for number, (start, stop, label) in enumerate(intervals, 1):
        head += [
            f"        intervals [{number}]:",
            f"            xmin = {start:.6f}",
            f"            xmax = {stop:.6f}",
            f'            text = "{label}"',
        ]
    return "\n".join(head) + "\n"


def to_webvtt(prediction: Prediction) -> str:
    """Subtitles for web players (W3C WebVTT)."""
    return "\n".join(["WEBVTT", "", *(_cue(one, ".") for one in prediction.segments)])


def to_srt(prediction: Prediction) -> str:
    """Subtitles for everything else (SubRip)."""
    return "\n".join(f"{number}\n{_cue(one, ',')}" for number, one in enumerate(prediction.segments, 1))


def to_rttm(prediction: Prediction) -> str:
    """Rich Transcription Time Marked: one SPEAKER line a segment, with the emotion in place of a speaker's name.

    Source: NIST, "Rich Transcription 2009 evaluation plan", appendix A.
    """
    name = "_".join(prediction.file.split()) or "recording"
    return "".join(
        f"SPEAKER {name} 1 {one.start:.3f} {one.end - one.start:.3f} <NA> <NA> {one.emotion} "
        f"{one.confidence / 100:.4f} <NA>\n"
        for one in prediction.segments
    )


FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format("csv", ".csv", "text/csv", lambda prediction: to_csv([prediction])),
        Format("audacity", ".txt", "text/plain", to_audacity),
        Format("textgrid", ".TextGrid", "text/plain", to_textgrid),
        Format("webvtt", ".vtt", "text/vtt", to_webvtt),
        Format("srt", ".srt", "application/x-subrip", to_srt),
        Format("rttm", ".rttm", "text/plain", to_rttm),
    )
}


JSON = Format("json", ".json", "application/json", lambda prediction: prediction.to_json(indent=2) + "\n")


def _label(segment: Segment) -> str:
    """What a person reads at a segment, such as "happy 87 %" or "unsure: happy 34 %"."""
    unsure = "unsure: " if segment.state == "unsure" else ""
    return f"{unsure}{segment.emotion} {segment.confidence:.0f} %"


def _filled(segments: Sequence[Segment], end: float) -> Iterable[tuple[float, float, str]]:
    """Segments with what lies between them, without gaps from 0 to the end."""
    last = 0.0
    for one in segments:
        if one.start > last:
            yield last, one.start, ""
        yield one.start, one.end, _label(one)
        last = one.end
    if end > last or not segments:
        yield last, end, ""


def _cue(segment: Segment, mark: str) -> str:
    return f"{_clock(segment.start, mark)} --> {_clock(segment.end, mark)}\n{_label(segment)}\n"


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{mark}{rest % 1000:03d}"


def _harmless(value: object) -> object:
    """Keeps spreadsheets from running a file's name as a formula (OWASP, "CSV injection")."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
