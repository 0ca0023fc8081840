"""Stored sessions of an owner: saved, searched, renamed and deleted; live chunks stored once each, in any order."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from ser.core.errors import SessionError
from ser.core.prediction import Prediction, Segment, Timeline, Transition
from ser.storage.database import Store, owner_of
from ser.storage.sessions import Chunk, Mark, Sessions, on_one_line


@pytest.fixture
def mine(store: Store) -> Sessions:
    return Sessions(store, owner_of("a" * 32))


@pytest.fixture
def theirs(store: Store) -> Sessions:
    return Sessions(store, owner_of("b" * 32))


@pytest.fixture
def prediction() -> Prediction:
    return Prediction(
        file="clip.wav",
        state="emotion",
        emotion="happy",
        confidence=61.25,
        probabilities={"happy": 0.6125, "sad": 0.3875},
        candidates=[],
        model="m",
        duration_seconds=4.5,
        speech_seconds=2.0,
        segments=[Segment(start=0.5, end=2.5, emotion="happy", confidence=61.25, state="unsure")],
        dominant="happy",
        transitions=[Transition(at=1.0, before="sad", after="happy")],
        timeline=Timeline(
            window_seconds=3.0, hop_seconds=1.0, start=[0.0], end=[4.5], probabilities={"happy": [0.6], "sad": [0.4]}
        ),
    )


def chunk(sequence: int, digest: str = "d") -> Chunk:
    answer = {"state": "emotion", "emotion": "happy", "confidence": 61.25, "probabilities": {"happy": 0.1 + 0.2}}
    return Chunk(
        sequence=sequence,
        digest=digest,
        start=float(sequence),
        end=sequence + 3.0,
        speech="0110",
        answer=answer,
        voice=np.array([sequence, 0.5, -1e-3], np.float32),
    )


def test_a_prediction_survives_a_json_round_trip(prediction):
    assert Prediction.from_dict(prediction.to_dict()) == prediction
    silent = replace(prediction, timeline=None, segments=[], transitions=[])
    assert Prediction.from_dict(silent.to_dict()) == silent


def test_a_recording_is_stored_with_all_results(mine, prediction):
    kept = mine.keep(prediction, {"prediction": prediction.to_dict(), "curves": [1, None]}, "My clip")
    assert mine.get(kept.id) == kept
    assert (kept.kind, kept.title, kept.model, kept.state) == ("recording", "My clip", "m", "ended")
    assert (kept.duration_seconds, kept.dominant, kept.confidence) == (4.5, "happy", 61.25)
    assert mine.result(kept.id) == {"prediction": prediction.to_dict(), "curves": [1, None]}


def test_another_owner_can_neither_see_nor_change_anything(mine, theirs, prediction):
    own = mine.keep(prediction, {}, "mine")
    live = mine.begin("live", "m", None)
    mine.add_chunk(live.id, chunk(0))
    actions = [
        lambda identity: theirs.get(identity),
        lambda identity: theirs.result(identity),
        lambda identity: theirs.rename(identity, "taken"),
        lambda identity: theirs.delete(identity),
        lambda identity: theirs.find_chunk(identity, 0, "d"),
        lambda identity: theirs.add_chunk(identity, chunk(1)),
        lambda identity: theirs.chunks(identity),
        lambda identity: theirs.chunks_before(identity, 9, 9),
        lambda identity: theirs.received(identity),
        lambda identity: theirs.mark(identity, Mark(at=1.0, note="")),
        lambda identity: theirs.marks(identity),
        lambda identity: theirs.close(identity),
        lambda identity: theirs.conclude(identity, prediction, {}),
    ]
    for action in actions:
        for identity in (own.id, live.id, "0" * 32, "", "x\0", "%"):
            with pytest.raises(SessionError) as caught:
                action(identity)
            assert caught.value.code == "session_unknown"
    assert theirs.page() == (0, []) and theirs.delete_all() == 0
    assert mine.page()[0] == 2 and mine.get(live.id).state == "live" and mine.received(live.id) == [(0, 0)]


def test_sessions_are_listed_newest_first_in_pages(mine, prediction):
    kept = [mine.keep(prediction, {}, f"clip {number}").id for number in range(5)]
    total, page = mine.page(offset=1, limit=2)
    assert total == 5 and [one.id for one in page] == kept[::-1][1:3]
    assert mine.page(offset=9) == (5, [])


def test_sessions_are_found_by_title_and_kind(mine, prediction):
    for title in ("Ärger im Büro", "100 % sure", "हिन्दी आवाज़"):
        mine.keep(prediction, {}, title)
    mine.begin("Büro live", "m", None)
    found = {
        text: [one.title for one in mine.page(search=text)[1]] for text in ("ÄRGER", "%", "_", "आवाज़", "büro", "  ")
    }
    assert found["ÄRGER"] == ["Ärger im Büro"] and found["%"] == ["100 % sure"] and found["_"] == []
    assert found["आवाज़"] == ["हिन्दी आवाज़"] and found["büro"] == ["Büro live", "Ärger im Büro"]
    assert len(found["  "]) == 4
    assert [one.title for one in mine.page(search="büro", kind="live")[1]] == ["Büro live"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [(" a\n\tb ", "a b"), ("x" * 300, "x" * 200), ("nul\0 \ud800", "nul"), ("\u202eevil", "evil"), ("", "")],
)
def test_titles_are_a_single_visible_line(mine, prediction, given, kept):
    assert on_one_line(given) == kept
    assert mine.keep(prediction, {}, given).title == kept
    assert mine.rename(mine.begin("", "m", None).id, given).title == kept


def test_a_renamed_session_is_found_by_its_new_title_only(mine, prediction):
    identity = mine.keep(prediction, {}, "before").id
    assert mine.rename(identity, "After") == mine.get(identity)
    assert mine.page(search="before")[0] == 0 and mine.page(search="after")[0] == 1


def test_one_session_or_all_sessions_can_be_deleted(mine, theirs, prediction):
    first, _, _ = (mine.keep(prediction, {}, "") for _ in range(3))
    theirs.keep(prediction, {}, "")
    mine.delete(first.id)
    with pytest.raises(SessionError):
        mine.get(first.id)
    assert mine.delete_all() == 2 and mine.page()[0] == 0 and theirs.page()[0] == 1


def test_deleted_sessions_leave_no_byte(tmp_path, prediction):
    from ser.storage.database import open_store

    store = open_store(f"sqlite:///{(tmp_path / 'x.sqlite').as_posix()}")
    mine, theirs = (Sessions(store, owner_of(letter * 32)) for letter in "ab")
    secret = replace(prediction, model="SECRETMODEL")
    for number in range(20):
        mine.keep(secret, {"result": "SECRETRESULT" * 500}, f"SECRETTITLE {number}")
        live = mine.begin("SECRETLIVE", "SECRETMODEL", "SECRETNAME")
        mine.add_chunk(live.id, replace(chunk(0), digest="SECRETDIGEST", answer={"emotion": "SECRETANSWER"}))
        mine.mark(live.id, Mark(at=1.0, note="SECRETNOTE"))
        theirs.keep(prediction, {}, f"KEPT {number}")
    renamed = mine.begin("SECRETOLDTITLE", "m", None)
    mine.rename(renamed.id, "new")
    assert b"SECRETOLDTITLE" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    mine.delete_all()
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"SECRET" not in content.upper() and owner_of("a" * 32).encode() not in content
    assert content.count(b"KEPT") >= 20
    store.close()


def test_chunk_order_does_not_change_the_result(mine):
    sessions = [mine.begin("", "m", None).id for _ in range(3)]
    order = list(range(12))
    for identity in sessions:
        for number in order:
            mine.add_chunk(identity, chunk(number))
        random.Random(identity).shuffle(order)
    assert mine.chunks(sessions[0]) == mine.chunks(sessions[1]) == mine.chunks(sessions[2])
    assert mine.chunks(sessions[0])[3] == chunk(3)
    assert mine.get(sessions[1]).duration_seconds == 14.0


def test_a_chunk_s_embedding_is_stored_exactly(mine):
    identity = mine.begin("", "m", None).id
    silent = replace(chunk(1), voice=None)
    for one in (chunk(0), silent):
        mine.add_chunk(identity, one)
    spoken, quiet = mine.chunks(identity)
    np.testing.assert_array_equal(spoken.voice, chunk(0).voice)
    assert spoken.voice.dtype == np.float32 and quiet.voice is None


def test_a_chunk_adapts_to_the_last_ones_with_speech_before_it(mine):
    identity, other = mine.begin("", "m", None).id, mine.begin("", "m", None).id
    for number in (5, 0, 3, 1, 4, 2, 9):
        mine.add_chunk(identity, replace(chunk(number), voice=None) if number == 3 else chunk(number))
        mine.add_chunk(other, chunk(number))
    assert [one.sequence for one in mine.chunks_before(identity, 5, 3)] == [1, 2, 4]
    assert [one.sequence for one in mine.chunks_before(identity, 99, 99)] == [0, 1, 2, 4, 5, 9]
    assert mine.chunks_before(identity, 0, 9) == []


def test_the_end_of_a_session_deletes_its_embeddings(tmp_path, prediction):
    from ser.storage.database import open_store

    store = open_store(f"sqlite:///{(tmp_path / 'x.sqlite').as_posix()}")
    mine = Sessions(store, owner_of("a" * 32))
    ended, live = (mine.begin("", "m", None).id for _ in range(2))
    numbers = {identity: np.random.default_rng(n).random(512).astype("<f4") for n, identity in enumerate((ended, live))}
    for identity, voice in numbers.items():
        mine.add_chunk(identity, replace(chunk(0), voice=voice))
    mine.close(ended)
    mine.conclude(ended, prediction, {})
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert numbers[ended].tobytes()[:64] not in content and numbers[live].tobytes()[:64] in content
    assert mine.chunks(ended)[0].voice is None and mine.chunks_before(ended, 9, 9) == []
    assert mine.chunks(live)[0].voice is not None
    store.close()


def test_received_chunks_are_reported_as_ranges(mine):
    identity = mine.begin("", "m", None).id
    assert mine.received(identity) == []
    for number in (7, 0, 2, 1, 9, 8):
        mine.add_chunk(identity, chunk(number))
    assert mine.received(identity) == [(0, 2), (7, 9)]


def test_a_chunk_sent_concurrently_is_stored_once(mine):
    identity = mine.begin("", "m", None).id
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: mine.add_chunk(identity, chunk(number % 4)), range(64)))
    assert answers == [chunk(number % 4) for number in range(64)]
    assert mine.received(identity) == [(0, 3)]
    assert mine.find_chunk(identity, 2, "d") == chunk(2) and mine.find_chunk(identity, 4, "d") is None


def test_a_different_chunk_with_a_used_number_is_refused(mine):
    identity = mine.begin("", "m", None).id
    mine.add_chunk(identity, chunk(0))
    for action in (mine.find_chunk, lambda *given: mine.add_chunk(given[0], chunk(0, "other"))):
        with pytest.raises(SessionError) as caught:
            action(identity, 0, "other")
        assert caught.value.code == "chunk_conflict"
    assert mine.chunks(identity) == [chunk(0)]


def test_an_ended_session_confirms_old_chunks_and_refuses_new_ones(mine, prediction):
    identity = mine.begin("", "m", None).id
    mine.add_chunk(identity, chunk(0))
    assert mine.result(identity) is None
    assert mine.close(identity).state == mine.close(identity).state == "ended"
    assert mine.add_chunk(identity, chunk(0)) == mine.find_chunk(identity, 0, "d") == chunk(0)
    with pytest.raises(SessionError) as caught:
        mine.add_chunk(identity, chunk(1))
    assert caught.value.code == "session_ended" and mine.received(identity) == [(0, 0)]
    ended = mine.conclude(identity, prediction, {"x": 1})
    assert (ended.dominant, ended.confidence, mine.result(identity)) == ("happy", 61.25, {"x": 1})


def test_marks_are_ordered_by_time(mine):
    identity = mine.begin("", "m", None).id
    for at, note in ((5.0, "later"), (1.0, "first\nof\0all"), (5.0, "last"), (5.0, "later")):  # one was sent twice
        mine.mark(identity, Mark(at=at, note=note))
    assert mine.marks(identity) == [
        Mark(at=1.0, note="first of all"),
        Mark(at=5.0, note="later"),
        Mark(at=5.0, note="last"),
    ]
