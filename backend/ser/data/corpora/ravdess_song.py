"""Reads RAVDESS song: 23 of the 24 actors of RAVDESS sing two sentences in six emotions, two intensities, two takes.

A file's name is seven numbers, ``modality-channel-emotion-intensity-statement-repetition-actor``; this corpus reads
song (channel 02) as audio only (modality 03). Actor 18 sang nothing, nobody sang with disgust or surprise, and neutral
has one intensity. The actors are those of ``ravdess`` under the same numbers: every utterance names that population, so
that no protocol takes the singer and the speaker for two people.
"""

from __future__ import annotations

import re
from pathlib import Path

from ser.data.corpus import Archive, Corpus, Utterance, read_folder

EMOTIONS = {"01": "neutral", "02": "calm", "03": "happy", "04": "sad", "05": "angry", "06": "fearful"}
INTENSITIES = {"01": "normal", "02": "strong"}
NAME = re.compile(r"03-02-(0[1-6])-(0[12])-(0[12])-(0[12])-(0[1-9]|1[0-79]|2[0-4])")
TREE = "Actor_01/03-02-01-01-01-01-01.wav ... Actor_24/03-02-06-02-02-02-24.wav (.wav, .flac or .mp3)"


def scan(root: Path) -> list[Utterance]:
    """Returns the utterances of a folder that holds ``Actor_NN`` folders, sorted by path.

    Raises:
        CorpusError: there is none.
    """
    return read_folder(root, _utterance, name="ravdess-song", tree=TREE)


def _utterance(path: Path) -> Utterance | None:
    match = NAME.fullmatch(path.stem)
    if match is None:
        return None
    emotion, intensity, statement, repetition, actor = match.groups()
    return Utterance(
        path=path,
        corpus="ravdess-song",
        population="ravdess",
        speaker=actor,
        native_label=EMOTIONS[emotion],
        sex="male" if int(actor) % 2 else "female",
        sentence=statement,
        intensity=INTENSITIES[intensity],
        repetition=repetition,
    )


CORPUS = Corpus(
    name="ravdess-song",
    title="RAVDESS song",
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
            url="https://zenodo.org/records/1188976/files/Audio_Song_Actors_01-24.zip?download=1",
            file="Audio_Song_Actors_01-24.zip",
            md5="5411230427d67a21e18aa4d466e6d1b9",
            bytes=225505317,
        ),
    ),
    known_bad={},
    scan=scan,
)
