"""Reads RAVDESS: 24 North American actors speak two sentences in eight emotions, two intensities, two takes.

A file's name is seven numbers, ``modality-channel-emotion-intensity-statement-repetition-actor``; this corpus reads
speech (channel 01) as audio only (modality 03).
"""

from __future__ import annotations

import re
from pathlib import Path

from ser.data.corpus import Archive, Corpus, Utterance, read_folder

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
INTENSITIES = {"01": "normal", "02": "strong"}
NAME = re.compile(r"03-01-(0[1-8])-(0[12])-(0[12])-(0[12])-(0[1-9]|1\d|2[0-4])")
TREE = "Actor_01/03-01-01-01-01-01-01.wav ... Actor_24/03-01-08-02-02-02-24.wav (.wav, .flac or .mp3)"
TITLE = "RAVDESS speech"
SAME_AUDIO = {"03-01-03-01-02-02-07": "the same audio as 03-01-03-01-02-01-07"}


def scan(root: Path) -> list[Utterance]:
    """Returns the utterances of a folder that holds ``Actor_NN`` folders, sorted by path.

    Raises:
        CorpusError: there is none.
    """
    found = read_folder(root, _utterance, name="ravdess", tree=TREE)
    return [utterance for utterance in found if utterance.path.stem not in SAME_AUDIO]


def _utterance(path: Path) -> Utterance | None:
    match = NAME.fullmatch(path.stem)
    if match is None:
        return None
    emotion, intensity, statement, repetition, actor = match.groups()
    return Utterance(
        path=path,
        corpus="ravdess",
        speaker=actor,
        native_label=EMOTIONS[emotion],
        sex="male" if int(actor) % 2 else "female",
        sentence=statement,
        intensity=INTENSITIES[intensity],
        repetition=repetition,
    )


CORPUS = Corpus(
    name="ravdess",
    title=TITLE,
    licence="CC BY-NC-SA 4.0",
    licence_links=("https://creativecommons.org/licenses/by-nc-sa/4.0/",),
    commercial_use=False,
    citation=(
        "Livingstone SR, Russo FA (2018) The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS): A "
        "dynamic, multimodal set of facial and vocal expressions in North American English. PLoS ONE 13(5): e0196391"
    ),
    link="https://zenodo.org/records/1188976",
    labels={emotion: emotion for emotion in EMOTIONS.values()},
    tree=TREE,
    archives=(
        Archive(
            url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
            file="Audio_Speech_Actors_01-24.zip",
            md5="bc696df654c87fed845eb13823edef8a",
            bytes=208468073,
        ),
    ),
    known_bad=SAME_AUDIO,
    scan=scan,
)
