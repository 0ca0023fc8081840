"""Describes a corpus: emotions, speakers, lengths, and agreement of listeners with the intended emotion.

Lengths are read from the files' headers, so that a large corpus takes seconds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from ser.core.atomic_write import write_text
from ser.core.labels import EMOTIONS
from ser.data.corpus import Corpus, Utterance
from ser.data.splits import speaker_of
from ser.evaluation.html import write_page
from ser.evaluation.plots import plot_counts, plot_histogram, save_picture, to_svg

PAGE_FILE, JSON_FILE = "corpus.html", "corpus.json"
UNKNOWN = "unknown"
TRAITS = ("sex", "age", "race")

Header = tuple[float, int, int]  # s, Hz, channels


def explore(
    corpus: Corpus, utterances: Sequence[Utterance], *, on_progress: Callable[[int, int], None] | None = None
) -> dict:
    """Describes a corpus.

    Args:
        corpus: the corpus.
        utterances: the result of ``corpus.scan``.
        on_progress: called with (clips done, clips in all).

    Returns:
        The content of ``corpus.json``; lengths in s, shares of 1.
    """
    headers: list[Header | None] = []
    for done, utterance in enumerate(utterances, 1):
        headers.append(_header(utterance.path))
        if on_progress:
            on_progress(done, len(utterances))
    read = [header for header in headers if header is not None]
    seconds = [header[0] for header in read]
    emotions = [corpus.labels.get(u.native_label, UNKNOWN) for u in utterances]
    return {
        "corpus": corpus.name,
        "title": corpus.title,
        "licence": corpus.licence,
        "commercial_use": corpus.commercial_use,
        "citation": corpus.citation,
        "link": corpus.link,
        "clips": len(utterances),
        "hours": sum(seconds) / 3600,
        "seconds": _spread(seconds),
        "lengths": [round(length, 3) for length in seconds],
        "sample_rates": _counted(f"{header[1]} Hz" for header in read),
        "channels": _counted(f"{header[2]}" for header in read),
        "unreadable": [u.path.name for u, header in zip(utterances, headers, strict=True) if header is None],
        "emotions": {emotion: _emotion(emotion, emotions, utterances, headers) for emotion in _present(emotions)},
        "sex": _counted(u.sex or UNKNOWN for u in utterances),
        "intensity": _counted(u.intensity or UNKNOWN for u in utterances),
        "speakers": _speakers(utterances),
        "listeners": _listeners(emotions, utterances),
    }


def write_exploration(folder: Path, found: Mapping) -> Path:
    """Writes ``corpus.html``, ``corpus.json``, ``emotions.png`` and ``lengths.png`` and returns the page."""
    pictures = {
        "emotions": plot_counts({emotion: own["clips"] for emotion, own in found["emotions"].items()}, "clips"),
        "lengths": plot_histogram(found["lengths"], "length of a clip (s)"),
    }
    for name, picture in pictures.items():
        save_picture(picture, folder / f"{name}.png")
    write_text(folder / JSON_FILE, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    votes = found["listeners"]["heard"] if found["listeners"] else {}
    values = {
        "found": found,
        "traits": [name for name in TRAITS if any(own[name] for own in found["speakers"].values())],
        "votes": [(meant, [(None, share) for share in shares.values()]) for meant, shares in votes.items()],
        "pictures": {name: to_svg(picture) for name, picture in pictures.items()},
    }
    write_page(folder / PAGE_FILE, "corpus.html", values)
    return folder / PAGE_FILE


def _header(path: Path) -> Header | None:
    try:
        info = soundfile.info(str(path))
    except (soundfile.SoundFileError, OSError):
        return None
    return (info.frames / info.samplerate, info.samplerate, info.channels) if info.samplerate else None


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {"min": 0.0, "median": 0.0, "max": 0.0}
    return {"min": min(seconds), "median": float(np.median(seconds)), "max": max(seconds)}


def _counted(values: Iterable[str]) -> dict[str, int]:
    """Value -> count, most frequent first."""
    return dict(Counter(values).most_common())


def _present(emotions: Sequence[str]) -> list[str]:
    return [emotion for emotion in (*EMOTIONS, UNKNOWN) if emotion in emotions]


def _emotion(
    emotion: str, emotions: Sequence[str], utterances: Sequence[Utterance], headers: Sequence[Header | None]
) -> dict:
    """Clips, sexes, speakers and median length of one emotion."""
    own = [i for i, name in enumerate(emotions) if name == emotion]
    return {
        "clips": len(own),
        "share": len(own) / len(emotions),
        "sex": _counted(utterances[i].sex or UNKNOWN for i in own),
        "speakers": len({speaker_of(utterances[i]) for i in own}),
        "median_seconds": _spread([header[0] for i in own if (header := headers[i]) is not None])["median"],
    }


def _speakers(utterances: Sequence[Utterance]) -> dict[str, dict]:
    """Speaker -> clips, sex, age and race, where they are known."""
    clips = Counter(utterance.speaker for utterance in utterances)
    people = {utterance.speaker: utterance for utterance in utterances}
    return {
        name: {"clips": clips[name]} | {trait: getattr(people[name], trait) or "" for trait in TRAITS}
        for name in sorted(people)
    }


def _listeners(emotions: Sequence[str], utterances: Sequence[Utterance]) -> dict | None:
    """Compares listeners' votes with the intended emotions.

    Returns:
        How many clips have votes; the mean share of the votes that agree with the intended emotion; the share of the
        clips whose most frequent vote does; both per intended emotion; and the votes, intended emotion -> emotion ->
        mean share of the votes. None for a corpus without votes.
    """
    judged = [(meant, u.soft_labels) for meant, u in zip(emotions, utterances, strict=True) if u.soft_labels]
    if not judged:
        return None
    rows = {emotion: [votes for meant, votes in judged if meant == emotion] for emotion in EMOTIONS}
    voted = [emotion for emotion in EMOTIONS if any(votes.get(emotion) for _, votes in judged)]
    means = {
        meant: {emotion: float(np.mean([votes.get(emotion, 0) for votes in every])) for emotion in voted}
        for meant, every in rows.items()
        if every
    }
    return {
        "clips": len(judged),
        "agreement": float(np.mean([votes.get(meant, 0) for meant, votes in judged])),
        "majority": float(np.mean([_majority(meant, votes) for meant, votes in judged])),
        "by_emotion": {
            meant: {
                "clips": len(rows[meant]),
                "agreement": means[meant].get(meant, 0.0),
                "majority": float(np.mean([_majority(meant, votes) for votes in rows[meant]])),
            }
            for meant in means
        },
        "heard": means,
    }


def _majority(meant: str, votes: Mapping[str, float]) -> bool:
    """Whether the intended emotion got more votes than any other."""
    return all(votes.get(meant, 0) > share for emotion, share in votes.items() if emotion != meant)
