"""Reads TESS: two actresses from Toronto say "Say the word ..." with two hundred words in seven emotions.

A file's name is ``speaker_word_emotion``: the older actress is OAF, the younger YAF, and ``ps`` stands for pleasant
surprise. One file's speaker lost a letter: ``OA_bite_neutral`` is the older actress. The release is one flat folder;
a copy that is widely used has a folder for each speaker and emotion, and some copies contain
the whole corpus a second time. Folders are ignored here, and duplicates are read once.
"""

from __future__ import annotations

import re
from pathlib import Path

from ser.data.corpus import Corpus, Utterance, read_folder, without_copies

EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fearful",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprised",
    "sad": "sad",
}
AGES = {"OAF": 64, "YAF": 26}
NAME = re.compile(rf"(OAF?|YAF)_([a-z]+)_({'|'.join(EMOTIONS)})")
TREE = "OAF_back_angry.wav ... YAF_youth_sad.wav, or OAF_angry/OAF_back_angry.wav ... (.wav, .flac or .mp3)"
DAMAGED = {
    "YAF_germ_angry": "reported damaged: some readers cannot decode it",
    "YAF_neat_fear": "reported damaged: some readers cannot decode it",
}


def scan(root: Path) -> list[Utterance]:
    """Returns the utterances of a folder, each recording once, sorted by path.

    Raises:
        CorpusError: there is none.
    """
    found = read_folder(root, _utterance, name="tess", tree=TREE)
    return without_copies([utterance for utterance in found if utterance.path.stem not in DAMAGED], root)


def _utterance(path: Path) -> Utterance | None:
    match = NAME.fullmatch(path.stem)
    if match is None:
        return None
    speaker, word, emotion = match.groups()
    speaker = "OAF" if speaker == "OA" else speaker
    return Utterance(
        path=path,
        corpus="tess",
        speaker=speaker,
        native_label=emotion,
        sex="female",
        age=AGES[speaker],
        sentence=word,
    )


CORPUS = Corpus(
    name="tess",
    title="TESS",
    licence="CC BY-NC-ND 4.0",
    licence_links=("https://creativecommons.org/licenses/by-nc-nd/4.0/",),
    commercial_use=False,
    citation=(
        "Pichora-Fuller MK, Dupuis K (2020) Toronto emotional speech set (TESS). Scholars Portal Dataverse. "
        "doi:10.5683/SP2/E8H2MF"
    ),
    link="https://doi.org/10.5683/SP2/E8H2MF",
    labels=EMOTIONS,
    tree=TREE,
    archives=(),
    known_bad=DAMAGED,
    scan=scan,
)
