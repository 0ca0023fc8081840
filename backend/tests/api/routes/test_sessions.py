"""Stored sessions over HTTP: listed, searched, renamed, exported and deleted, by their owner only."""

from __future__ import annotations

import csv
import io
import json

import pysubs2
import pytest
from praatio import textgrid
from werkzeug.http import parse_options_header

from ser.audio.waveform import decode
from ser.inference.export import FORMATS
from ser.inference.predictor import load_predictor
from ser.storage.sessions import Sessions

PATH = "/api/v1/sessions"


@pytest.fixture
def keep(client, form, wav):
    """Stores a recording's results and returns the session id."""

    def make(headers: dict[str, str], title: str = "", **fields: str) -> str:
        sent = form(wav, keep="true", title=title, **fields)
        return client.post("/api/v1/analyse", **sent, headers=headers).json["session"]

    return make


def test_a_stored_session_is_returned(client, form, wav, owner):
    answer = client.post("/api/v1/analyse", **form(wav, keep="true", title="Mine"), headers=owner).json
    shown = client.get(f"{PATH}/{answer['session']}", headers=owner)
    assert shown.status_code == 200
    identity = answer.pop("session")
    assert {name: shown.json[name] for name in answer} == answer
    assert (shown.json["id"], shown.json["title"], shown.json["kind"]) == (identity, "Mine", "recording")
    assert shown.json["marks"] == [] and shown.json["statistics"]["seconds"] == {
        answer["prediction"]["emotion"]: pytest.approx(0.5)
    }


def test_sessions_stored_before_a_field_existed_are_returned(client, keep, owner, monkeypatch):
    identity, result = keep(owner), Sessions.result

    def before(self, session):
        found = result(self, session)
        del found["prediction"]["warning_codes"]
        return found

    monkeypatch.setattr(Sessions, "result", before)
    assert client.get(f"{PATH}/{identity}", headers=owner).json["prediction"]["warning_codes"] == []


def test_the_list_holds_summaries_newest_first(client, keep, owner):
    made = [keep(owner, title) for title in ("first", "second", "third")]
    listed = client.get(PATH, headers=owner).json
    assert listed["total"] == 3 and [one["id"] for one in listed["sessions"]] == made[::-1]
    assert list(listed["sessions"][0]) == [
        *("id", "kind", "title", "model", "speaker", "created"),
        *("state", "duration_seconds", "dominant", "confidence", "emotions"),
    ]
    page = client.get(PATH, query_string={"offset": 1, "limit": 1}, headers=owner).json
    assert page["total"] == 3 and [one["id"] for one in page["sessions"]] == [made[1]]
    found = client.get(PATH, query_string={"search": "SECOND", "kind": "recording"}, headers=owner).json
    assert [one["id"] for one in found["sessions"]] == [made[1]]
    assert client.get(PATH, query_string={"kind": "live"}, headers=owner).json == {"total": 0, "sessions": []}


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"offset": -1}, {"offset": "x"}, {"kind": "other"}, {"search": "x" * 201}]
)
def test_invalid_queries_are_explained(client, owner, problem_of, query):
    body = problem_of(client.get(PATH, query_string=query, headers=owner), "value_invalid")
    assert next(iter(query)) in body["detail"]


def test_a_session_is_renamed(client, keep, owner):
    identity = keep(owner, "before")
    answer = client.patch(f"{PATH}/{identity}", json={"title": " After\tall "}, headers=owner)
    assert (answer.status_code, answer.json["title"], answer.json["id"]) == (200, "After all", identity)
    assert client.get(f"{PATH}/{identity}", headers=owner).json["title"] == "After all"
    odd = client.patch(f"{PATH}/{identity}", data=b'{"title": "half \\ud800"}', headers=owner)
    assert odd.json["title"] == "half"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"json": {}}, "value_invalid"),
        ({"json": {"title": 7}}, "value_invalid"),
        ({"json": []}, "value_invalid"),
        ({"data": "{", "content_type": "application/json"}, "bad_request"),
        ({"data": b""}, "bad_request"),
        ({"data": b"[" * 200_000}, "bad_request"),
        ({"data": b"\xff\xfe{"}, "bad_request"),
    ],
)
def test_an_invalid_title_is_explained(client, keep, owner, problem_of, sent, code):
    problem_of(client.patch(f"{PATH}/{keep(owner)}", **sent, headers=owner), code)


def test_one_session_or_all_sessions_can_be_deleted(client, keep, owner, stranger):
    first, others = keep(owner), [keep(owner), keep(owner)]
    kept = keep(stranger)
    gone = client.delete(f"{PATH}/{first}", headers=owner)
    assert (gone.status_code, gone.data) == (204, b"")
    assert client.get(f"{PATH}/{first}", headers=owner).status_code == 404
    assert client.delete(PATH, headers=owner).json == {"deleted": len(others)}
    assert client.delete(PATH, headers=owner).json == {"deleted": 0}
    assert client.get(PATH, headers=owner).json["total"] == 0
    assert client.get(f"{PATH}/{kept}", headers=stranger).status_code == 200


def test_deletion_leaves_no_byte_behind(client, form, wav, owner, tmp_path):
    for number in range(3):
        sent = form(wav, keep="true", title=f"SECRETTITLE{number}", name="SECRETFILE.wav")
        client.post("/api/v1/analyse", **sent, headers=owner)

    def content() -> bytes:
        return b"".join(file.read_bytes() for file in tmp_path.glob("results.sqlite*"))

    assert b"SECRETTITLE" in content() and b"SECRETFILE" in content()
    client.delete(PATH, headers=owner)
    assert b"SECRET" not in content().upper()


def test_sessions_of_other_owners_look_nonexistent(client, keep, owner, stranger, problem_of):
    identity = keep(owner, "mine")
    for name in (identity, "0" * 32, "nonsense", "%00", "a b"):
        for call in (client.get, client.delete):
            body = problem_of(call(f"{PATH}/{name}", headers=stranger), "session_unknown")
        problem_of(client.patch(f"{PATH}/{name}", json={"title": "taken"}, headers=stranger), "session_unknown")
        problem_of(client.get(f"{PATH}/{name}/export", headers=stranger), "session_unknown")
    assert "mine" not in body["detail"]
    assert client.get(PATH, headers=stranger).json["total"] == 0
    assert client.get(f"{PATH}/{identity}", headers=owner).json["title"] == "mine"


def test_every_route_requires_an_owner(client, keep, owner, problem_of):
    identity = keep(owner)
    for path in (PATH, f"{PATH}/{identity}", f"{PATH}/{identity}/export"):
        problem_of(client.get(path), "owner_missing")
    for path in (PATH, f"{PATH}/{identity}"):
        problem_of(client.delete(path), "owner_missing")
    problem_of(client.patch(f"{PATH}/{identity}", json={"title": "x"}), "owner_missing")


@pytest.fixture
def exported(real_client, real_settings, multipart, samples, encode, owner):
    """Stores results of real speech long enough for a timeline; returns a function that exports, and the prediction."""
    import numpy as np

    clips = [decode(path).samples for path in samples.values()]
    recording = encode(np.concatenate(clips * 2), 16_000)
    body, kind = multipart(recording, keep="true", title="Über: mein/Gespräch?")
    answer = real_client.post("/api/v1/analyse", data=body, content_type=kind, headers=owner)

    def get(form: str):
        path = f"{PATH}/{answer.json['session']}/export"
        return real_client.get(path, query_string={"format": form}, headers=owner)

    return get, load_predictor("untrained", real_settings).predict(recording, "clip.wav")


@pytest.mark.parametrize("form", ["json", *FORMATS])
def test_every_export_opens_in_other_software(exported, form, tmp_path):
    get, prediction = exported
    assert len(prediction.segments) > 1
    answer = get(form)
    assert answer.status_code == 200
    kind, options = parse_options_header(answer.headers["Content-Disposition"])
    suffix = ".json" if form == "json" else FORMATS[form].suffix
    assert (kind, options["filename"]) == ("attachment", f"Über mein Gespräch{suffix}")
    text = answer.data.decode("utf-8")
    times = [(one.start, one.end) for one in prediction.segments]
    if form == "json":
        found = json.loads(text)
        assert found["prediction"]["segments"] == prediction.to_dict()["segments"]
        assert answer.mimetype == "application/json" and found["attention"] and found["descriptors"] and found["curves"]
        return
    assert text == FORMATS[form].write(prediction) and answer.mimetype == FORMATS[form].media_type
    if form == "csv":
        (row,) = csv.DictReader(io.StringIO(text))
        assert row["file"] == "clip.wav" and row["emotion"] == prediction.emotion
    elif form in ("srt", "webvtt"):
        events = pysubs2.SSAFile.from_string(text, format_="vtt" if form == "webvtt" else form)
        assert [(one.start, one.end) for one in events] == [(round(1000 * a), round(1000 * b)) for a, b in times]
    elif form == "textgrid":
        (tmp_path / "x.TextGrid").write_bytes(answer.data)
        tier = textgrid.openTextgrid(str(tmp_path / "x.TextGrid"), includeEmptyIntervals=False).getTier("emotion")
        assert [one.start for one in tier.entries] == pytest.approx([a for a, _ in times], abs=1e-5)
    else:
        column = {"audacity": 0, "rttm": 3}[form]
        found = [float(line.split("\t" if form == "audacity" else " ")[column]) for line in text.splitlines()]
        assert found == pytest.approx([a for a, _ in times], abs=1e-3)


def test_json_is_complete_and_marks_appear_in_formats_that_support_them(client, wav, owner, tmp_path):
    live = client.post("/api/v1/live", json={"title": "Talk"}, headers=owner).json["id"]
    client.put(f"/api/v1/live/{live}/chunks/0?start=0", data=wav, content_type="audio/wav", headers=owner)
    for at, note in [(0.25, 'a "door"'), (0.125, "पहला")]:
        client.post(f"/api/v1/live/{live}/marks", json={"at": at, "note": note}, headers=owner)
    client.post(f"/api/v1/live/{live}/end", headers=owner)

    def get(form: str) -> str:
        return client.get(f"{PATH}/{live}/export?format={form}", headers=owner).data.decode("utf-8")

    shown = client.get(f"{PATH}/{live}", headers=owner).json
    assert json.loads(get("json")) == shown and len(shown["marks"]) == 2 and "पहला" in get("json")
    labels = [line.split("\t") for line in get("audacity").splitlines()]
    assert [(float(start), note) for start, end, note in labels if start == end] == [
        (0.125, "पहला"),
        (0.25, 'a "door"'),
    ]
    (tmp_path / "x.TextGrid").write_text(get("textgrid"), encoding="utf-8")
    points = textgrid.openTextgrid(str(tmp_path / "x.TextGrid"), includeEmptyIntervals=False).getTier("marks").entries
    assert [point.time for point in points] == [0.125, 0.25]


def test_an_unknown_format_lists_the_known_ones(client, keep, owner, problem_of):
    answer = client.get(f"{PATH}/{keep(owner)}/export", query_string={"format": "pdf"}, headers=owner)
    assert "'audacity'" in problem_of(answer, "value_invalid")["detail"]


@pytest.mark.parametrize(("title", "name"), [("...", "session"), ('a"b\\c', "a b c"), ("हिन्दी", "हिन्दी")])
def test_the_title_becomes_the_file_name(client, keep, owner, title, name):
    identity = keep(owner, title)
    answer = client.get(f"{PATH}/{identity}/export", query_string={"format": "srt"}, headers=owner)
    assert parse_options_header(answer.headers["Content-Disposition"])[1]["filename"] == f"{name}.srt"
