"""Splits utterances into folds by protocol, and checks that speaker-independent folds share no speaker.

A fold names clips by their position in the list of utterances. The validation part, on which epochs and settings are
selected, consists of whole speakers of the training part, never of the test part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ser.core.errors import ProtocolError
from ser.data.corpus import Utterance

EMOBOX = ((1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22))
LUNA = ((2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24), (1, 4, 9, 22))
TEST_SHARE, VALIDATION_SHARE = 0.2, 0.2  # of everything; of the rest


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Positions of the clips for training, validation and test."""

    name: str
    train: list[int]
    validation: list[int]
    test: list[int]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A way to split clips into folds.

    Attributes:
        name: as on the command line.
        summary: one sentence for people.
        speaker_independent: whether no test speaker is in training.
        folds: ``folds(utterances, seed)``.
        foreign: whether the whole corpus of a test clip is left out of training.
    """

    name: str
    summary: str
    speaker_independent: bool
    folds: Callable[[Sequence[Utterance], int], list[Fold]]
    foreign: bool = False


def make_folds(protocol: str, utterances: Sequence[Utterance], seed: int) -> list[Fold]:
    """Splits utterances and checks that a speaker-independent protocol is speaker-independent.

    Raises:
        ProtocolError: the protocol is unknown, does not fit the corpus, or has a speaker in two parts.
    """
    folds = get_protocol(protocol).folds(utterances, seed)
    if get_protocol(protocol).speaker_independent:
        for fold in folds:
            check_speakers(fold, utterances)
    return folds


def get_protocol(name: str) -> Protocol:
    """Returns a protocol.

    Raises:
        ProtocolError: no protocol has that name.
    """
    if name not in PROTOCOLS:
        raise ProtocolError(f"unknown protocol {name!r}; available: {', '.join(PROTOCOLS)}.", "protocol_unknown")
    return PROTOCOLS[name]


def held_out_protocol(utterances: Sequence[Utterance]) -> Protocol:
    """Returns how a single training holds out a test part: whole speakers, or clips where speakers are unknown."""
    return next(one for one in HELD_OUT.values() if one.speaker_independent is speakers_known(utterances))


def check_speakers(fold: Fold, utterances: Sequence[Utterance]) -> None:
    """Raises ProtocolError when a speaker is in more than one part of a fold or unknown, or a part is empty."""
    if not speakers_known(utterances):
        raise ProtocolError("Some clips have no speaker; add a column speaker, or use the protocol random (leaky).")
    parts = {part: {speaker_of(utterances[i]) for i in getattr(fold, part)} for part in ("train", "validation", "test")}
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        if shared := parts[one] & parts[other]:
            raise ProtocolError(
                f"Fold {fold.name} has the same speaker in {one} and {other}: {', '.join(sorted(shared))}. "
                "Its figures would not be on unseen speakers."
            )
    if not parts["train"] or not parts["test"]:
        raise ProtocolError(f"Fold {fold.name} has no speakers to train on or none to test on.")


def speaker_of(utterance: Utterance) -> str:
    """Names a speaker across corpora: the same person has one name in two corpora that recorded the same people."""
    return f"{utterance.population or utterance.corpus}/{utterance.speaker}"


def speakers_known(utterances: Sequence[Utterance]) -> bool:
    """Whether every utterance has a speaker; without that no figure is on unseen speakers."""
    return all(utterance.speaker for utterance in utterances)


def hold_out_clips(positions: Sequence[int], share: float, seed: int) -> list[int]:
    """Picks about ``share`` of the clips at random, regardless of speaker."""
    order = np.random.default_rng(seed).permutation(np.asarray(positions))
    return sorted(order[: round(share * len(order))].tolist())


def hold_out(utterances: Sequence[Utterance], positions: Sequence[int], share: float, seed: int) -> list[int]:
    """Picks whole speakers, about ``share`` of them and at least one of each sex, and returns their positions."""
    draw = np.random.default_rng(seed)
    by_sex: dict[str, set[str]] = {}
    for i in positions:
        by_sex.setdefault(utterances[i].sex or "", set()).add(speaker_of(utterances[i]))
    chosen: set[str] = set()
    for sex in sorted(by_sex):
        speakers = sorted(by_sex[sex])
        chosen.update(draw.permutation(speakers)[: max(1, round(share * len(speakers)))].tolist())
    return [i for i in positions if speaker_of(utterances[i]) in chosen]


def _by_speakers(name: str, utterances: Sequence[Utterance], test: set[str], seed: int) -> Fold:
    positions = range(len(utterances))
    rest = [i for i in positions if speaker_of(utterances[i]) not in test]
    validation = hold_out(utterances, rest, VALIDATION_SHARE, seed)
    held = set(validation)
    return Fold(
        name=name,
        train=[i for i in rest if i not in held],
        validation=validation,
        test=[i for i in positions if speaker_of(utterances[i]) in test],
    )


def _actor_folds(actors: Sequence[Sequence[int]]) -> Callable[[Sequence[Utterance], int], list[Fold]]:
    def folds(utterances: Sequence[Utterance], seed: int) -> list[Fold]:
        if {u.corpus for u in utterances} != {"ravdess"}:
            raise ProtocolError(
                "This protocol is defined for the actors of RAVDESS; use loso or groups for other corpora."
            )
        groups = [{f"ravdess/{actor:02d}" for actor in group} for group in actors]
        return [_by_speakers(f"{n}", utterances, group, seed) for n, group in enumerate(groups, 1)]

    return folds


def _statement(utterances: Sequence[Utterance], seed: int) -> list[Fold]:
    """The folds of ``emobox``, trained on one sentence and tested on the other."""

    def saying(sentence: str, positions: Sequence[int]) -> list[int]:
        return [i for i in positions if utterances[i].sentence == sentence]

    return [
        Fold(
            name=fold.name,
            train=saying("01", fold.train),
            validation=saying("01", fold.validation),
            test=saying("02", fold.test),
        )
        for fold in _actor_folds(EMOBOX)(utterances, seed)
    ]


def _loso(utterances: Sequence[Utterance], seed: int) -> list[Fold]:
    speakers = sorted({speaker_of(u) for u in utterances})
    return [_by_speakers(speaker.replace("/", "-"), utterances, {speaker}, seed) for speaker in speakers]


def _groups(utterances: Sequence[Utterance], seed: int) -> list[Fold]:
    speakers = sorted({speaker_of(u) for u in utterances})
    parts = np.array_split(np.random.default_rng(seed).permutation(speakers), 5)
    return [_by_speakers(f"{n}", utterances, set(part.tolist()), seed) for n, part in enumerate(parts, 1)]


def _joint(utterances: Sequence[Utterance], seed: int) -> list[Fold]:
    """The folds of ``emobox`` with as many groups of unseen speakers of every other corpus, trained on together."""
    tests = [{f"ravdess/{actor:02d}" for actor in group} for group in EMOBOX]
    speakers: dict[str, list[str]] = {}
    for one in sorted({speaker_of(utterance) for utterance in utterances}):
        speakers.setdefault(one.split("/")[0], []).append(one)
    if len(speakers) < 2:
        raise ProtocolError("joint trains on several corpora at once; name at least two with --corpus.")
    for population in sorted(set(speakers) - {"ravdess"}):
        mixed = np.random.default_rng(seed).permutation(speakers[population])
        for test, part in zip(tests, np.array_split(mixed, len(tests)), strict=True):
            test.update(part.tolist())
    return [_by_speakers(f"{n}", utterances, test, seed) for n, test in enumerate(tests, 1)]


def _cross(utterances: Sequence[Utterance], seed: int) -> list[Fold]:
    """One fold per corpus: tested on it, trained on the other speakers of all others."""
    corpora = sorted({u.corpus for u in utterances})
    if len(corpora) < 2:
        raise ProtocolError("cross trains on some corpora and tests on another; name at least two with --corpus.")
    return [_without_corpus(corpus, utterances, seed) for corpus in corpora]


def _without_corpus(corpus: str, utterances: Sequence[Utterance], seed: int) -> Fold:
    """Tests one corpus; its speakers' clips in other corpora are neither in the test nor in training."""
    fold = _by_speakers(corpus, utterances, {speaker_of(u) for u in utterances if u.corpus == corpus}, seed)
    return replace(fold, test=[i for i in fold.test if utterances[i].corpus == corpus])


def _random(utterances: Sequence[Utterance], seed: int) -> list[Fold]:
    order = np.random.default_rng(seed).permutation(len(utterances)).tolist()
    test = round(TEST_SHARE * len(order))
    validation = test + round(VALIDATION_SHARE * (len(order) - test))
    return [Fold(name="1", train=order[validation:], validation=order[test:validation], test=order[:test])]


def _held_out_speakers(utterances: Sequence[Utterance], seed: int) -> list[Fold]:
    return [_held_out(utterances, seed, lambda positions, share, own: hold_out(utterances, positions, share, own))]


def _held_out_clips(utterances: Sequence[Utterance], seed: int) -> list[Fold]:
    return [_held_out(utterances, seed, hold_out_clips)]


def _held_out(
    utterances: Sequence[Utterance], seed: int, hold: Callable[[Sequence[int], float, int], list[int]]
) -> Fold:
    everything = range(len(utterances))
    test = hold(everything, TEST_SHARE, seed)
    rest = sorted(set(everything) - set(test))
    validation = hold(rest, VALIDATION_SHARE, seed + 1)
    return Fold(name="held-out", train=sorted(set(rest) - set(validation)), validation=validation, test=test)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="emobox",
            summary="RAVDESS, 6 folds of 4 unseen actors (EmoBox)",
            speaker_independent=True,
            folds=_actor_folds(EMOBOX),
        ),
        Protocol(
            name="luna",
            summary="RAVDESS, 5 folds of 4 or 5 unseen actors (Luna-Jimenez et al.)",
            speaker_independent=True,
            folds=_actor_folds(LUNA),
        ),
        Protocol(
            name="statement",
            summary="RAVDESS, the folds of emobox, trained on sentence 01 and tested on sentence 02",
            speaker_independent=True,
            folds=_statement,
        ),
        Protocol(name="loso", summary="leave one speaker out", speaker_independent=True, folds=_loso),
        Protocol(name="groups", summary="5 seeded folds of unseen speakers", speaker_independent=True, folds=_groups),
        Protocol(
            name="joint",
            summary="several corpora trained on together, 6 folds of unseen speakers; on RAVDESS those of emobox",
            speaker_independent=True,
            folds=_joint,
        ),
        Protocol(
            name="cross",
            summary="leave one corpus out: tested on it, trained on the others",
            speaker_independent=True,
            folds=_cross,
            foreign=True,
        ),
        Protocol(
            name="random",
            summary="random 80/20 split of clips: LEAKY, the same speakers in training and test",
            speaker_independent=False,
            folds=_random,
        ),
    )
}

HELD_OUT = {  # of a single training; not protocols of an evaluation
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="held-out speakers",
            summary="a fifth of the speakers held out for the test, a fifth of the rest for validation",
            speaker_independent=True,
            folds=_held_out_speakers,
        ),
        Protocol(
            name="held-out clips, speakers unknown",
            summary="a fifth of the clips held out for the test; LEAKY where a speaker has several clips",
            speaker_independent=False,
            folds=_held_out_clips,
        ),
    )
}
