"""Reads Indian EmoSpeech Command: Indian speakers say single command words into their phones, in four emotions.

A file's name is ``keyword-environment-emotion-time-speaker``. The labels are what the speaker meant; no listener
checked them.
"""

from __future__ import annotations

import re
from pathlib import Path

from ser.data.corpus import Corpus, Utterance, read_folder

LABELS = {name: name for name in ("angry", "calm", "fearful", "happy")}
NAME = re.compile(r"([a-z]+)-([a-z]+)-(angry|calm|fearful|happy)-(\d+|\?\?)-([0-9a-f]+)")  # some times are lost
TREE = "bacho-safe-angry-1562996360436-c7b431195e28....wav ... (.wav, .flac or .mp3)"


def scan(root: Path) -> list[Utterance]:
    """Returns the utterances of a folder, sorted by path.

    Raises:
        CorpusError: there is none.
    """
    return read_folder(root, _utterance, name="indian-emospeech", tree=TREE)


def _utterance(path: Path) -> Utterance | None:
    match = NAME.fullmatch(path.stem)
    if match is None:
        return None
    keyword, _, emotion, time, speaker = match.groups()
    return Utterance(
        path=path,
        corpus="indian-emospeech",
        speaker=speaker,
        native_label=emotion,
        sentence=keyword,
        repetition=time,
    )


CORPUS = Corpus(
    name="indian-emospeech",
    title="Indian EmoSpeech Command",
    licence="CC BY-NC-SA 4.0",
    licence_links=("https://creativecommons.org/licenses/by-nc-sa/4.0/",),
    commercial_use=False,
    citation="Banga S, Upadhyay U, Agarwal P, Sharma A, Mukherjee P (2019) Indian EmoSpeech Command Dataset. "
    "arXiv:1910.13801",
    link="https://arxiv.org/abs/1910.13801",
    labels=LABELS,
    tree=TREE,
    archives=(),
    known_bad={},
    scan=scan,
)
