"""Live sessions over HTTP: each chunk is stored once, in any order, from any process, however often it is sent."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import requests

from ser.api.app import create_app
from ser.api.context import Database, gate
from ser.api.model_registry import ModelRegistry
from ser.audio.waveform import decode
from ser.core.prediction import Prediction
from ser.inference.predictor import load_predictor
from ser.storage.database import CHUNKS

PATH = "/api/v1/live"


@pytest.fixture
def sounds(encode, tone):
    """Builds the WAV of a chunk; the louder, the angrier."""

    def make(number: int = 0, seconds: float = 3.0) -> bytes:
        return encode(np.clip((0.2 + number / 10) * tone(seconds, 16_000), -1, 1), 16_000)

    return make


@pytest.fixture
def session(client, owner) -> str:
    answer = client.post(PATH, json={"title": " Talk\n"}, headers=owner)
    assert answer.status_code == 201 and answer.json["state"] == "live" and answer.json["title"] == "Talk"
    return answer.json["id"]


@pytest.fixture
def send(client, owner, session):
    def put(number: int, content: bytes, start: float | None = None, **options):
        return client.put(
            f"{PATH}/{session}/chunks/{number}",
            query_string={"start": float(number) if start is None else start},
            data=content,
            content_type="audio/wav",
            **{"headers": owner, **options},
        )

    return put


def rows(database: Database) -> int:
    from sqlalchemy import func, select

    with database.store().read() as connection:
        return connection.scalar(select(func.count()).select_from(CHUNKS))


def test_a_session_from_start_to_end(client, owner, session, send, sounds):
    for number in range(5):
        answer = send(number, sounds(number))
        assert answer.status_code == 200
        assert list(answer.json) == [
            *("sequence", "start", "end", "state", "emotion", "confidence", "probabilities", "candidates"),
            *("adapted_seconds", "speech"),
        ]
        assert (answer.json["sequence"], answer.json["start"], answer.json["end"]) == (number, number, number + 3)
        assert len(answer.json["speech"]) == 94 and "1" in answer.json["speech"]
    shown = client.get(f"/api/v1/sessions/{session}", headers=owner).json
    assert (shown["state"], shown["kind"], shown["duration_seconds"]) == ("live", "live", 7.0)
    assert len(shown["prediction"]["timeline"]["start"]) == 5
    mark = client.post(f"{PATH}/{session}/marks", json={"at": 2.5, "note": "here\n!"}, headers=owner)
    assert (mark.status_code, mark.json) == (201, {"at": 2.5, "note": "here !"})
    ended = client.post(f"{PATH}/{session}/end", headers=owner)
    assert ended.status_code == 200 and ended.json["state"] == "ended"
    assert ended.json["prediction"] == shown["prediction"] and ended.json["attention"] is None
    assert ended.json["marks"] == [{"at": 2.5, "note": "here !"}]
    assert sum(ended.json["statistics"]["seconds"].values()) == pytest.approx(7, abs=0.1)
    assert (ended.json["dominant"], ended.json["confidence"]) == (
        ended.json["prediction"]["dominant"],
        ended.json["prediction"]["confidence"],
    )
    assert client.post(f"{PATH}/{session}/end", headers=owner).json == ended.json
    (listed,) = client.get("/api/v1/sessions", query_string={"kind": "live"}, headers=owner).json["sessions"]
    assert listed == {name: ended.json[name] for name in listed}
    assert client.get(f"/api/v1/sessions/{session}/export?format=srt", headers=owner).data.count(b"-->") >= 1


def test_ending_a_session_serialises_the_result_once(client, owner, session, send, sounds, monkeypatch):
    send(0, sounds())
    genuine, converted = Prediction.to_dict, []
    monkeypatch.setattr(Prediction, "to_dict", lambda self: converted.append(self) or genuine(self))
    monkeypatch.setattr(Prediction, "from_dict", None)
    assert client.post(f"{PATH}/{session}/end", headers=owner).status_code == 200
    assert len(converted) == 1


def test_resending_a_chunk_is_idempotent(registry, send, sounds, database, monkeypatch):
    first = send(3, sounds()).json
    monkeypatch.setattr(registry.get(), "encode", lambda *_, **__: pytest.fail("it was analysed again"))
    assert send(3, sounds()).json == first
    assert rows(database) == 1


def test_identical_concurrent_chunks_are_stored_once(app, owner, session, sounds, database, registry, monkeypatch):
    """All requests finish their analysis before the first is stored, so that every one meets the conflict."""
    meeting, encode = threading.Barrier(3), registry.get().encode

    def together(*given, **options):
        meeting.wait(10)
        return encode(*given, **options)

    monkeypatch.setattr(registry.get(), "encode", together)

    def put(_: int):
        return app.test_client().put(f"{PATH}/{session}/chunks/0?start=0", data=sounds(), headers=owner)

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(put, range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].json == answers[1].json == answers[2].json and rows(database) == 1


def test_a_different_chunk_with_a_used_number_is_a_conflict(send, sounds, problem_of, database):
    first = send(0, sounds(0)).json
    problem_of(send(0, sounds(5)), "chunk_conflict")
    problem_of(send(0, sounds(0), start=1.0), "chunk_conflict")
    assert send(0, sounds(0)).json == first and rows(database) == 1


def test_chunk_order_does_not_change_the_result(client, owner, sounds):
    ended = []
    for order in (range(8), reversed(range(8)), (3, 7, 0, 5, 1, 6, 2, 4)):
        identity = client.post(PATH, json={}, headers=owner).json["id"]
        for number in order:
            path = f"{PATH}/{identity}/chunks/{number}?start={number}"
            assert client.put(path, data=sounds(number), headers=owner).status_code == 200
        ended.append(client.post(f"{PATH}/{identity}/end", headers=owner).json["prediction"])
    assert ended[0] == ended[1] == ended[2] and len(ended[0]["timeline"]["start"]) == 8


def test_a_client_can_ask_which_chunks_to_resend(client, owner, session, send, sounds):
    assert client.get(f"{PATH}/{session}", headers=owner).json == {"received": [], "state": "live"}
    for number in (4, 0, 1, 7, 5):
        send(number, sounds())
    client.post(f"{PATH}/{session}/end", headers=owner)
    status = client.get(f"{PATH}/{session}", headers=owner).json
    assert status == {"received": [[0, 1], [4, 5], [7, 7]], "state": "ended"}


def test_an_ended_session_accepts_no_new_chunk(client, owner, session, send, sounds, problem_of):
    first = send(0, sounds()).json
    client.post(f"{PATH}/{session}/end", headers=owner)
    problem_of(send(1, sounds()), "session_ended")
    assert send(0, sounds()).json == first


def test_a_session_without_chunks_has_no_speech(client, owner, session):
    ended = client.post(f"{PATH}/{session}/end", headers=owner).json
    assert (ended["prediction"]["state"], ended["duration_seconds"], ended["dominant"]) == ("no_speech", 0, None)


def test_too_many_concurrent_chunks_get_a_retry_after(
    app, client, owner, session, sounds, settings, problem_of, registry, monkeypatch
):
    enough, go_on, encode = threading.Semaphore(0), threading.Event(), registry.get().encode

    def slow(*given, **options):
        enough.release()
        assert go_on.wait(10)
        return encode(*given, **options)

    monkeypatch.setattr(registry.get(), "encode", slow)

    def put(number: int):
        path = f"{PATH}/{session}/chunks/{number}?start={number}"
        return app.test_client().put(path, data=sounds(number), headers=owner)

    most = settings.predictions + settings.waiting
    with ThreadPoolExecutor(most) as pool:
        running = [pool.submit(put, number) for number in range(most)]
        for _ in range(settings.predictions):
            assert enough.acquire(timeout=10)
        while client.get("/ready").status_code == 200:
            time.sleep(0.01)
        refused = put(99)
        problem_of(refused, "too_busy")
        assert refused.headers["Retry-After"] == "1"
        go_on.set()
        assert [one.result().status_code for one in running] == [200] * len(running)
    assert put(99).status_code == 200


def test_a_failed_chunk_releases_its_place(send, sounds, settings, problem_of):
    for number in range(2 * (settings.predictions + settings.waiting)):
        problem_of(send(number, b"no sound"), "audio_unsupported")
    assert send(0, sounds()).status_code == 200


@pytest.mark.parametrize(
    ("number", "start", "code"),
    [
        ("0", None, "value_invalid"),
        ("0", "-1", "value_invalid"),
        ("0", "nan", "value_invalid"),
        ("0", "inf", "value_invalid"),
        ("0", "99999", "value_invalid"),
        ("100001", "0", "value_invalid"),
        ("99999999999999999999", "0", "value_invalid"),
        ("-1", "0", "not_found"),
        ("x", "0", "not_found"),
    ],
)
def test_invalid_chunk_positions_are_explained(client, owner, session, sounds, problem_of, number, start, code):
    query = {} if start is None else {"start": start}
    answer = client.put(f"{PATH}/{session}/chunks/{number}", query_string=query, data=sounds(), headers=owner)
    problem_of(answer, code)


def test_invalid_audio_is_explained(send, sounds, problem_of):
    problem_of(send(0, sounds(seconds=3.5)), "audio_too_long")
    problem_of(send(0, sounds(seconds=0.05)), "audio_too_short")
    problem_of(send(0, b""), "audio_empty")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"model": "nothing"}, "model_unknown"),
        ({"speaker": "nobody"}, "profile_unknown"),
        ({"model": "\ud800"}, "model_unknown"),
        ({"speaker": "\ud800"}, "profile_name"),
        ({"title": 7}, "value_invalid"),
        ([], "value_invalid"),
    ],
)
def test_invalid_session_requests_are_explained(client, owner, problem_of, body, code):
    answer = client.post(PATH, data=json.dumps(body), content_type="application/json", headers=owner)
    problem_of(answer, code)
    assert client.get("/api/v1/sessions", headers=owner).json["total"] == 0


@pytest.mark.parametrize("body", [{}, {"at": -1}, {"at": "x"}, {"at": 1, "note": 2}])
def test_invalid_marks_are_explained(client, owner, session, problem_of, body):
    problem_of(client.post(f"{PATH}/{session}/marks", json=body, headers=owner), "value_invalid")


def test_sessions_are_invisible_to_other_owners(client, owner, stranger, session, send, sounds, problem_of):
    first = send(0, sounds()).json
    answers = [
        send(0, sounds(), headers=stranger),
        send(1, sounds(), headers=stranger),
        client.get(f"{PATH}/{session}", headers=stranger),
        client.post(f"{PATH}/{session}/marks", json={"at": 1}, headers=stranger),
        client.post(f"{PATH}/{session}/end", headers=stranger),
    ]
    for answer in answers:
        problem_of(answer, "session_unknown")
    problem_of(send(0, sounds(), headers={}), "owner_missing")
    problem_of(client.post(PATH, json={}), "owner_missing")
    assert client.get(f"{PATH}/{session}", headers=owner).json == {"received": [[0, 0]], "state": "live"}
    assert send(0, sounds()).json == first


@pytest.fixture
def voices(settings, voice_predictor, database):
    """A client of a server whose model adapts to speakers."""
    models = ModelRegistry(replace(settings, model="toy"), load=lambda *_: voice_predictor, find=lambda _: [])
    models.load_default()
    return create_app(settings, models, database).test_client()


@pytest.fixture
def clips(samples, encode) -> list[bytes]:
    """Three chunks of speech of 2.5 s."""
    return [encode(decode(path).samples[:40_000], 16_000, subtype="FLOAT") for path in samples.values()]


@pytest.fixture
def talk(voices, owner, clips):
    """Sends chunks of speech of a new session in the given order; returns its path and the answers by number."""

    def speak(order: tuple[int, ...]) -> tuple[str, dict[int, dict]]:
        path = f"{PATH}/{voices.post(PATH, json={}, headers=owner).json['id']}"
        answers = {}
        for number in order:
            answer = voices.put(f"{path}/chunks/{number}?start={3 * number}", data=clips[number % 3], headers=owner)
            assert answer.status_code == 200
            answers[number] = answer.json
        return path, answers

    return speak


def test_a_session_adapts_as_it_goes(voices, owner, talk, voice_predictor, clips):
    path, answers = talk((0, 1, 2))
    seconds = [answers[number]["adapted_seconds"] for number in range(3)]
    assert seconds[0] == 0 < seconds[1] < seconds[2]
    profile = voice_predictor.enroll("so far", clips)
    expected = voice_predictor.predict(clips[2], profile=profile).probabilities
    assert answers[2]["probabilities"] == pytest.approx(expected, abs=1e-5)
    _, more = talk((0, 1, 2, 3))
    assert [more[number] for number in range(3)] == [answers[number] for number in range(3)], "it is causal"
    ended = voices.post(f"{path}/end", headers=owner).json
    assert ended["prediction"]["adapted_seconds"] == seconds[2]


def test_a_chunk_adapts_to_earlier_ones_only_in_any_order(talk):
    _, in_order = talk((0, 1, 2, 3))
    _, mixed = talk((2, 0, 3, 1, 2))
    seconds = {number: answer["adapted_seconds"] for number, answer in mixed.items()}
    assert seconds[0] == seconds[2] == 0 < seconds[1] < seconds[3] < in_order[3]["adapted_seconds"]
    assert mixed[1] == in_order[1], "the number decides, not the time of arrival"


def test_a_chunk_sent_again_later_keeps_its_answer(voices, owner, talk, clips):
    path, answers = talk((2, 0, 1))
    assert voices.put(f"{path}/chunks/2?start=6", data=clips[2], headers=owner).json == answers[2]
    assert answers[2]["adapted_seconds"] == 0


def test_the_end_of_a_session_deletes_the_embeddings(voices, owner, talk, database):
    from sqlalchemy import select

    def stored() -> list[bytes | None]:
        with database.store().read() as connection:
            return list(connection.scalars(select(CHUNKS.c.voice)))

    path, _ = talk((0, 1))
    assert all(stored()) and len(stored()) == 2
    voices.post(f"{path}/end", headers=owner)
    assert stored() == [None, None]


def test_a_session_can_use_a_speaker_profile(voices, voice_predictor, database, samples, owner, problem_of):
    from ser.storage.database import owner_of
    from ser.storage.profiles import save_profile

    client = voices
    profile = voice_predictor.enroll("asha", list(samples.values()))
    save_profile(profile, database.store(), owner_of(owner["Authorization"].removeprefix("Bearer ")))
    begun = client.post(PATH, json={"speaker": "asha"}, headers=owner).json
    assert (begun["model"], begun["speaker"]) == ("toy", "asha")
    clip = samples["happy"]
    chunk = f"{PATH}/{begun['id']}/chunks/"
    own = client.put(f"{chunk}0?start=0", data=clip.read_bytes(), headers=owner).json["probabilities"]
    assert own == pytest.approx(voice_predictor.predict(clip, profile=profile).probabilities, abs=1e-6)
    assert client.delete("/api/v1/profiles/asha", headers=owner).status_code == 204
    problem_of(client.put(f"{chunk}1?start=1", data=clip.read_bytes(), headers=owner), "profile_unknown")


def test_any_server_accepts_any_chunk(real_settings, serve, samples, encode, owner):
    """Two servers share a database; chunks go to either in random order, some twice; none is lost or duplicated."""
    databases = [Database(real_settings.database_url) for _ in range(2)]
    servers = []
    for database in databases:
        registry = ModelRegistry(real_settings)
        registry.load_default()
        servers.append(serve(create_app(real_settings, registry, database)).url)
    sound = np.concatenate([decode(path).samples for path in samples.values()])
    chunks = [encode(sound[start : start + 48_000], 16_000) for start in range(0, len(sound) - 48_000 + 1, 16_000)]
    identity = requests.post(f"{servers[0]}{PATH}", json={}, headers=owner, timeout=30).json()["id"]

    def put(job: tuple[int, int]) -> dict:
        server, number = job
        for _ in range(100):
            url = f"{servers[server]}{PATH}/{identity}/chunks/{number}?start={number}"
            answer = requests.put(url, data=chunks[number], headers=owner, timeout=30)
            if answer.status_code != 503:
                return answer.json()
        raise AssertionError("it is always busy")

    jobs = [(server, number) for number in reversed(range(len(chunks))) for server in (1, 0)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(put, jobs))
    assert answers[::2] == answers[1::2]
    status = requests.get(f"{servers[1]}{PATH}/{identity}", headers=owner, timeout=30).json()
    assert status == {"received": [[0, len(chunks) - 1]], "state": "live"}
    ends = [requests.post(f"{url}{PATH}/{identity}/end", headers=owner, timeout=30).json() for url in servers]
    assert ends[0] == ends[1] and ends[0]["state"] == "ended"
    predictor = load_predictor("untrained", real_settings)
    expected = {number: predictor.predict(content).probabilities for number, content in enumerate(chunks)}
    for answer in answers:
        assert answer["probabilities"] == pytest.approx(expected[answer["sequence"]], abs=1e-6)
    for database in databases:
        database.close()


def test_raw_audio_is_never_stored(send, encode, tmp_path):
    noise = (0.1 * np.random.default_rng(0).standard_normal(48_000)).astype(np.float32)
    content = encode(noise, 16_000)
    assert send(0, content).status_code == 200
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("results.sqlite*"))
    assert kept and content[5000:5024] not in kept and content[5000:5024].hex().encode() not in kept


def test_sessions_and_marks_per_owner_are_limited(client, form, wav, owner, stranger, problem_of, monkeypatch):
    monkeypatch.setattr("ser.storage.sessions.MOST_SESSIONS", 2)
    monkeypatch.setattr("ser.storage.sessions.MOST_MARKS", 2)
    live = client.post("/api/v1/live", json={}, headers=owner).json["id"]
    kept = client.post("/api/v1/analyse", **form(wav, keep="true"), headers=owner).json["session"]
    assert "2 sessions" in problem_of(client.post("/api/v1/live", json={}, headers=owner), "quota_reached")["detail"]
    problem_of(client.post("/api/v1/analyse", **form(wav, keep="true"), headers=owner), "quota_reached")
    assert client.post("/api/v1/analyse", **form(wav), headers=owner).status_code == 200
    assert client.post("/api/v1/live", json={}, headers=stranger).status_code == 201
    client.delete(f"/api/v1/sessions/{kept}", headers=owner)
    assert client.post("/api/v1/live", json={}, headers=owner).status_code == 201
    for at in (1, 2, 2):
        assert client.post(f"/api/v1/live/{live}/marks", json={"at": at}, headers=owner).status_code == 201
    problem_of(client.post(f"/api/v1/live/{live}/marks", json={"at": 3}, headers=owner), "quota_reached")


def test_loading_the_model_of_a_session_takes_a_place(client, app, owner, problem_of, monkeypatch):
    monkeypatch.setattr(gate(app), "_most", 0)
    problem_of(client.post("/api/v1/live", json={"model": "second"}, headers=owner), "too_busy")


def test_emotions_can_be_chosen_for_a_session(client, owner, sounds, problem_of):
    begun = client.post(PATH, json={"emotions": ["sad", "joy"]}, headers=owner).json
    assert begun["emotions"] == ["happy", "sad"]
    path = f"{PATH}/{begun['id']}"
    chunk = client.put(f"{path}/chunks/0?start=0", data=sounds(), headers=owner, content_type="audio/wav").json
    assert list(chunk["probabilities"]) == ["happy", "sad"] and chunk["emotion"] == "happy"
    ended = client.post(f"{path}/end", headers=owner).json
    assert ended["prediction"]["emotions"] == ended["emotions"] == ["happy", "sad"]
    assert ended["prediction"]["probabilities"] == pytest.approx(chunk["probabilities"])
    (listed,) = client.get("/api/v1/sessions", headers=owner).json["sessions"]
    assert listed["emotions"] == ["happy", "sad"]
    problem = problem_of(client.post(PATH, json={"emotions": ["happy"]}, headers=owner), "emotions_invalid")
    assert "Only happy was chosen" in problem["detail"]
    problem_of(client.post(PATH, json={"emotions": "happy,sad"}, headers=owner), "value_invalid")


def test_live_and_upload_agree_on_chosen_emotions(real_client, form, samples, owner):
    content = samples["happy"].read_bytes()
    sent = real_client.post("/upload", **form(content, emotions="angry,happy,neutral")).json
    begun = real_client.post(PATH, json={"emotions": ["angry", "happy", "neutral"]}, headers=owner).json
    path = f"{PATH}/{begun['id']}"
    real_client.put(f"{path}/chunks/0?start=0", data=content, headers=owner, content_type="audio/wav")
    found = real_client.post(f"{path}/end", headers=owner).json["prediction"]
    assert found["probabilities"] == pytest.approx(sent["probabilities"])
    assert (found["emotion"], found["state"], found["candidates"]) == (
        sent["emotion"],
        sent["state"],
        sent["candidates"],
    )
