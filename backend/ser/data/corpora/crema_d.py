"""Reads CREMA-D: 91 North American actors of many ages and origins speak twelve sentences in six emotions.

A file's name is ``actor_sentence_emotion_level``. Listeners also rated the recordings: their votes on the voice
alone become soft labels.
"""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

from ser.data.corpus import Corpus, Utterance, read_folder

EMOTIONS = {"ANG": "angry", "DIS": "disgust", "FEA": "fearful", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": None, "X": None}  # one file's name lost an X
NAME = re.compile(r"(1\d{3})_([A-Z]{3})_(ANG|DIS|FEA|HAP|NEU|SAD)_(LO|MD|HI|XX?)")
TREE = "AudioWAV/1001_DFA_ANG_XX.wav ... with VideoDemographics.csv and tabulatedVotes.csv (.wav, .flac or .mp3)"
SILENT = {"1076_MTI_SAD_XX": "it is silent"}
VOTES = {"A": "angry", "D": "disgust", "F": "fearful", "H": "happy", "N": "neutral", "S": "sad"}
VOICE_ONLY = "1"  # six-digit questionnaire numbers that start so are about the voice without the face


def scan(root: Path) -> list[Utterance]:
    """Returns the utterances of a folder, sorted by path; with age, sex, race and votes where the tables are there.

    Raises:
        CorpusError: there is none.
    """
    actors, votes = _actors(root / "VideoDemographics.csv"), _votes(root / "tabulatedVotes.csv")
    found = read_folder(root, _utterance, name="crema-d", tree=TREE)
    return [
        replace(one, **actors.get(one.speaker, {}), soft_labels=votes.get(one.path.stem))
        for one in found
        if one.path.stem not in SILENT
    ]


def _utterance(path: Path) -> Utterance | None:
    match = NAME.fullmatch(path.stem)
    if match is None:
        return None
    actor, sentence, emotion, level = match.groups()
    return Utterance(
        path=path,
        corpus="crema-d",
        speaker=actor,
        native_label=emotion,
        sentence=sentence,
        intensity=LEVELS[level],
    )


def _actors(file: Path) -> dict[str, dict]:
    return {
        row["ActorID"]: {"age": int(row["Age"]), "sex": row["Sex"].lower(), "race": row["Race"]} for row in _rows(file)
    }


def _votes(file: Path) -> dict[str, dict[str, float]]:
    """File name -> emotion -> share of the listeners."""
    found = {}
    for row in _rows(file):
        votes = {emotion: int(row[letter]) for letter, emotion in VOTES.items()}
        if len(row[""]) == 6 and row[""].startswith(VOICE_ONLY) and sum(votes.values()):
            found[row["fileName"]] = {emotion: count / sum(votes.values()) for emotion, count in votes.items()}
    return found


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


CORPUS = Corpus(
    name="crema-d",
    title="CREMA-D",
    licence="ODbL 1.0, contents DbCL 1.0",
    licence_links=("https://opendatacommons.org/licenses/odbl/1-0/", "https://opendatacommons.org/licenses/dbcl/1-0/"),
    commercial_use=True,
    citation=(
        "Cao H, Cooper DG, Keutmann MK, Gur RC, Nenkova A, Verma R (2014) CREMA-D: Crowd-Sourced Emotional Multimodal "
        "Actors Dataset. IEEE Transactions on Affective Computing 5(4): 377-390"
    ),
    link="https://github.com/CheyneyComputerScience/CREMA-D",
    labels=EMOTIONS,
    tree=TREE,
    archives=(),
    known_bad=SILENT,
    scan=scan,
)
