"""Evaluation protocols: which clips and speakers are trained on, validated on and tested."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ser.core.errors import ProtocolError
from ser.data.corpus import Utterance
from ser.data.splits import (
    EMOBOX,
    LUNA,
    PROTOCOLS,
    Fold,
    check_speakers,
    get_protocol,
    hold_out,
    make_folds,
    speaker_of,
)


def utterance(corpus: str, speaker: str, number: int, sex: str) -> Utterance:
    return Utterance(
        path=Path(f"{corpus}-{speaker}-{number}.wav"),
        corpus=corpus,
        speaker=speaker,
        native_label="happy",
        sex=sex,
        sentence=f"0{1 + number % 2}",
    )


@pytest.fixture
def ravdess() -> list[Utterance]:
    return [
        utterance("ravdess", f"{actor:02d}", n, "male" if actor % 2 else "female")
        for actor in range(1, 25)
        for n in range(5)
    ]


@pytest.mark.parametrize("protocol", sorted(set(PROTOCOLS) - {"statement", "cross", "joint"}))
def test_every_protocol_tests_the_speakers_it_states(ravdess, protocol):
    folds = make_folds(protocol, ravdess, seed=0)
    tested = [i for fold in folds for i in fold.test]
    assert len(tested) == len(set(tested))
    for fold in folds:
        parts = [set(fold.train), set(fold.validation), set(fold.test)]
        assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
        assert sorted(i for part in parts for i in part) == list(range(len(ravdess)))
    if PROTOCOLS[protocol].speaker_independent:
        assert sorted(tested) == list(range(len(ravdess)))
        for fold in folds:
            check_speakers(fold, ravdess)


def test_statement_tests_unseen_actors_on_an_unseen_sentence(ravdess):
    for fold, whole in zip(make_folds("statement", ravdess, 0), make_folds("emobox", ravdess, 0), strict=True):
        assert {ravdess[i].sentence for i in fold.train + fold.validation} == {"01"}
        assert {ravdess[i].sentence for i in fold.test} == {"02"}
        for part in ("train", "validation", "test"):
            assert {ravdess[i].speaker for i in getattr(fold, part)} == {
                ravdess[i].speaker for i in getattr(whole, part)
            }


@pytest.mark.parametrize(("protocol", "groups"), [("emobox", EMOBOX), ("luna", LUNA)])
def test_named_folds_are_the_published_actors(ravdess, protocol, groups):
    assert sorted(actor for group in groups for actor in group) == list(range(1, 25))
    for fold, group in zip(make_folds(protocol, ravdess, seed=3), groups, strict=True):
        assert {int(ravdess[i].speaker) for i in fold.test} == set(group)


def test_validation_speakers_are_of_both_sexes_and_follow_the_seed(ravdess):
    chosen = [make_folds("emobox", ravdess, seed)[0].validation for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert {ravdess[i].sex for i in chosen[0]} == {"male", "female"}


def test_random_is_marked_as_leaky(ravdess):
    fold = make_folds("random", ravdess, seed=0)[0]
    assert not get_protocol("random").speaker_independent
    assert "LEAKY" in get_protocol("random").summary
    assert len(fold.test) == len(ravdess) // 5
    with pytest.raises(ProtocolError, match="same speaker in train and test"):
        check_speakers(fold, ravdess)


def test_a_speaker_on_both_sides_is_an_error(ravdess):
    fold = Fold(name="x", train=[0, 10], validation=[5], test=[11])
    with pytest.raises(ProtocolError, match="ravdess/03"):
        check_speakers(fold, ravdess)
    with pytest.raises(ProtocolError, match="no speakers"):
        check_speakers(Fold(name="x", train=[], validation=[], test=[0]), ravdess)


def test_named_actors_need_ravdess():
    others = [utterance("emodb", "03", n, "male") for n in range(3)]
    with pytest.raises(ProtocolError, match="loso or groups"):
        make_folds("emobox", others, seed=0)


def test_the_same_number_in_two_corpora_is_two_speakers():
    one, other = utterance("ravdess", "03", 0, "male"), utterance("emodb", "03", 0, "male")
    assert speaker_of(one) != speaker_of(other)


def test_speakers_and_singers_are_the_same_people(ravdess):
    songs = [
        replace(one, corpus="ravdess-song", population="ravdess") for one in ravdess if one.speaker in ("01", "02")
    ]
    both = [*ravdess, *songs]
    speech_of_01, song_of_01, song_of_02 = 0, len(ravdess), len(ravdess) + 5
    with pytest.raises(ProtocolError, match="same speaker in train and test: ravdess/01"):
        check_speakers(Fold(name="x", train=[speech_of_01], validation=[], test=[song_of_01]), both)
    check_speakers(Fold(name="x", train=[speech_of_01], validation=[], test=[song_of_02]), both)
    assert {speaker_of(one) for one in both} == {speaker_of(one) for one in ravdess}
    for fold in (*make_folds("groups", both, seed=0), *make_folds("loso", both, seed=0)):
        assert {speaker_of(both[i]) for i in fold.test}.isdisjoint(speaker_of(both[i]) for i in fold.train)


@pytest.mark.parametrize("protocol", ["emobox", "luna", "statement"])
def test_named_actors_are_tested_on_speech_only(ravdess, protocol):
    songs = [replace(one, corpus="ravdess-song", population="ravdess") for one in ravdess]
    for utterances in (songs, [*ravdess, *songs]):
        with pytest.raises(ProtocolError, match="loso or groups"):
            make_folds(protocol, utterances, seed=0)


def test_held_out_speakers_are_held_out_completely(ravdess):
    held = set(hold_out(ravdess, range(len(ravdess)), 0.25, seed=0))
    speakers = {ravdess[i].speaker for i in held}
    assert len(speakers) == 6
    assert held == {i for i, one in enumerate(ravdess) if one.speaker in speakers}


def test_an_unknown_protocol_lists_the_known_ones(ravdess):
    with pytest.raises(ProtocolError, match="available: emobox"):
        make_folds("tenfold", ravdess, seed=0)


def test_cross_tests_one_corpus_and_trains_on_the_others(ravdess):
    other = [replace(utterance, corpus="crema-d", speaker=f"1{utterance.speaker}") for utterance in ravdess]
    folds = make_folds("cross", [*ravdess, *other], seed=0)
    assert [fold.name for fold in folds] == ["crema-d", "ravdess"]
    assert folds[1].test == list(range(len(ravdess)))
    assert min(folds[1].train + folds[1].validation) == len(ravdess)
    with pytest.raises(ProtocolError, match="at least two"):
        make_folds("cross", ravdess, seed=0)


def test_cross_leaves_out_the_people_of_a_corpus_with_it(ravdess):
    songs = [replace(one, corpus="ravdess-song", population="ravdess") for one in ravdess if one.speaker != "18"]
    other = [replace(one, corpus="crema-d", speaker=f"1{one.speaker}") for one in ravdess]
    everything = [*ravdess, *songs, *other]
    folds = {fold.name: fold for fold in make_folds("cross", everything, seed=0)}
    for name in ("ravdess", "ravdess-song"):
        assert {everything[i].corpus for i in folds[name].test} == {name}
    assert {everything[i].corpus for i in folds["ravdess"].train} == {"crema-d"}
    alike = [everything[i] for i in folds["ravdess-song"].train if everything[i].corpus != "crema-d"]
    assert {one.speaker for one in alike} <= {"18"}


def test_speaker_independent_protocols_need_known_speakers(ravdess):
    nameless = [replace(utterance, speaker="") for utterance in ravdess]
    with pytest.raises(ProtocolError, match="column speaker"):
        make_folds("groups", nameless, seed=0)
    assert make_folds("random", nameless, seed=0)


def test_joint_keeps_emobox_and_adds_unseen_speakers_of_every_corpus(ravdess):
    others = [utterance("crema-d", f"{actor}", n, "male") for actor in range(1001, 1026) for n in range(3)]
    folds = make_folds("joint", ravdess + others, 0)
    alone = make_folds("emobox", ravdess, 0)
    assert len(folds) == 6
    for fold, own in zip(folds, alone, strict=True):
        assert [i for i in fold.test if i < len(ravdess)] == own.test
        speakers = {speaker_of((ravdess + others)[i]) for i in fold.test if i >= len(ravdess)}
        assert len(speakers) in (4, 5)
    assert sorted(i for fold in folds for i in fold.test) == list(range(len(ravdess + others)))


def test_joint_needs_several_corpora(ravdess):
    with pytest.raises(ProtocolError, match="at least two"):
        make_folds("joint", ravdess, 0)
