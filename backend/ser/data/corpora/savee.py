"""Reads SAVEE: four British men, researchers and not actors, speak sentences of TIMIT in seven emotions.

A file's name is the emotion's initial and the number of the sentence within that emotion, in a folder named after the
speaker (``DC/a01``); a copy that is widely used has the speaker in front instead (``DC_a01``). Which of the fifteen
sentences (thirty neutral ones) an emotion shares with the others is not in the name, so the emotion stays part of the
sentence.
"""

from __future__ import annotations

import re
from pathlib import Path

from ser.data.corpus import Corpus, Utterance, read_folder, without_copies

EMOTIONS = {
    "a": "angry",
    "d": "disgust",
    "f": "fearful",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprised",
}
NAME = re.compile(r"(DC|JE|JK|KL)_(?:(a|d|f|h|sa|su)(0[1-9]|1[0-5])|(n)(0[1-9]|[12]\d|30))")
TREE = "DC/a01.wav ... KL/su15.wav, or DC_a01.wav ... KL_su15.wav (.wav, .flac or .mp3)"


def scan(root: Path) -> list[Utterance]:
    """Returns the utterances of a folder, each recording once, sorted by path.

    Raises:
        CorpusError: there is none.
    """
    return without_copies(read_folder(root, _utterance, name="savee", tree=TREE), root)


def _utterance(path: Path) -> Utterance | None:
    match = NAME.fullmatch(path.stem if "_" in path.stem else f"{path.parent.name}_{path.stem}")
    if match is None:
        return None
    speaker, emotion, number = (group for group in match.groups() if group)
    return Utterance(
        path=path,
        corpus="savee",
        speaker=speaker,
        native_label=emotion,
        sex="male",
        sentence=f"{emotion}{number}",
    )


CORPUS = Corpus(
    name="savee",
    title="SAVEE",
    licence="given to registered researchers; treated as research only",
    commercial_use=False,
    citation=(
        "Haq S, Jackson PJB (2010) Multimodal Emotion Recognition. In: Wang W (ed) Machine Audition: Principles, "
        "Algorithms and Systems. IGI Global: 398-423"
    ),
    link="https://personal.ee.surrey.ac.uk/Personal/P.Jackson/SAVEE/",
    labels=EMOTIONS,
    tree=TREE,
    archives=(),
    known_bad={},
    scan=scan,
)
