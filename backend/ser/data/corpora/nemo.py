"""Reads nEMO: nine actors speak ninety Polish sentences in six emotions.

A file's name is ``speaker_emotion_sentence``. Sex and age are in the ``data.tsv`` of the release, once for each clip;
as they are the same for all clips of a speaker, they are listed here, and the table is not needed.
"""

from __future__ import annotations

import re
from pathlib import Path

from ser.data.corpus import Corpus, Utterance, read_folder

EMOTIONS = {
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprised",
}
SPEAKERS = {
    "EB0": ("female", 27),
    "IC0": ("female", 28),
    "KD0": ("female", 28),
    "KS0": ("male", 23),
    "MK0": ("female", 23),
    "MP0": ("male", 24),
    "SM0": ("male", 24),
    "TP0": ("male", 26),
    "WR0": ("male", 23),
}
NAME = re.compile(rf"({'|'.join(SPEAKERS)})_({'|'.join(EMOTIONS)})_([1-9]|[1-8]\d|90)")
TREE = "samples/EB0_anger_1.wav ... samples/WR0_surprised_90.wav (.wav, .flac or .mp3)"


def scan(root: Path) -> list[Utterance]:
    """Returns the utterances of a folder, sorted by path.

    Raises:
        CorpusError: there is none.
    """
    return read_folder(root, _utterance, name="nemo", tree=TREE)


def _utterance(path: Path) -> Utterance | None:
    match = NAME.fullmatch(path.stem)
    if match is None:
        return None
    speaker, emotion, sentence = match.groups()
    sex, age = SPEAKERS[speaker]
    return Utterance(
        path=path,
        corpus="nemo",
        speaker=speaker,
        native_label=emotion,
        sex=sex,
        age=age,
        sentence=sentence,
    )


CORPUS = Corpus(
    name="nemo",
    title="nEMO",
    licence="CC BY-NC-SA 4.0",
    licence_links=("https://creativecommons.org/licenses/by-nc-sa/4.0/",),
    commercial_use=False,
    citation="Christop I (2024) nEMO: Dataset of Emotional Speech in Polish. LREC-COLING 2024. arXiv:2404.06292",
    link="https://github.com/amu-cai/nEMO",
    labels=EMOTIONS,
    tree=TREE,
    archives=(),
    known_bad={},
    scan=scan,
)
