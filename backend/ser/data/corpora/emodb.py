"""Reads EmoDB, the Berlin database: ten German actors speak ten sentences in six emotions and neutrally.

A file's name is ``speaker, sentence, emotion, version`` without anything in between: two digits, a letter and two
digits, the first letter of the German word for the emotion, and a letter that counts the takes. Boredom has no
counterpart among the canonical emotions: its clips are left out.
"""

from __future__ import annotations

import re
from pathlib import Path

from ser.data.corpus import Corpus, Utterance, read_folder

EMOTIONS = {"A": "fearful", "E": "disgust", "F": "happy", "N": "neutral", "T": "sad", "W": "angry"}
BOREDOM = {"L": "boredom (Langeweile) is none of the canonical emotions"}
SPEAKERS = {
    "03": ("male", 31),
    "08": ("female", 34),
    "09": ("female", 21),
    "10": ("male", 32),
    "11": ("male", 26),
    "12": ("male", 30),
    "13": ("female", 32),
    "14": ("female", 35),
    "15": ("male", 25),
    "16": ("female", 31),
}
NAME = re.compile(rf"({'|'.join(SPEAKERS)})(a0[12457]|b0[1239]|b10)([AEFLNTW])([a-z])")
TREE = "wav/03a01Fa.wav ... wav/16b10Wb.wav (.wav, .flac or .mp3)"


def scan(root: Path) -> list[Utterance]:
    """Returns the utterances of a folder except those of boredom, sorted by path.

    Raises:
        CorpusError: there is none.
    """
    found = read_folder(root, _utterance, name="emodb", tree=TREE)
    return [utterance for utterance in found if utterance.native_label not in BOREDOM]


def _utterance(path: Path) -> Utterance | None:
    match = NAME.fullmatch(path.stem)
    if match is None:
        return None
    speaker, sentence, emotion, version = match.groups()
    sex, age = SPEAKERS[speaker]
    return Utterance(
        path=path,
        corpus="emodb",
        speaker=speaker,
        native_label=emotion,
        sex=sex,
        age=age,
        sentence=sentence,
        repetition=version,
    )


CORPUS = Corpus(
    name="emodb",
    title="EmoDB",
    licence="none published; treated as research only",
    commercial_use=False,
    citation=(
        "Burkhardt F, Paeschke A, Rolfes M, Sendlmeier WF, Weiss B (2005) A Database of German Emotional Speech. "
        "Interspeech 2005: 1517-1520"
    ),
    link="https://www.emodb.bilderbar.info/download/",
    labels=EMOTIONS,
    tree=TREE,
    archives=(),
    known_bad={},
    left_out=BOREDOM,
    scan=scan,
)
