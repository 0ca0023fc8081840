"""Downloads from a loopback server that drops connections, sends wrong data and refuses requests."""

from __future__ import annotations

import errno
import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ser.core.download import download, extract_zip
from ser.core.errors import DownloadError

BODY = bytes(range(256)) * 1200  # 300 KiB
MD5 = hashlib.md5(BODY).hexdigest()


@dataclass
class Behaviour:
    """What the server does; each request consumes one of ``cuts`` and ``statuses``."""

    body: bytes = BODY
    cuts: list[int] = field(default_factory=list)  # close the connection after this many bytes of the body
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    wrong_range: bool = False
    etag: str | None = '"one"'
    framing: str = "length"  # or "close" or "chunked"
    seen: list[dict[str, str]] = field(default_factory=list)

    def asked(self, header: str) -> list[str | None]:
        """The value of a header in each request."""
        return [request.get(header) for request in self.seen]


class Handler(BaseHTTPRequestHandler):
    """Serves one GET as ``server.behaviour`` says."""

    def do_GET(self) -> None:
        how: Behaviour = self.server.behaviour
        how.seen.append(dict(self.headers))
        if status := how.statuses.pop(0) if how.statuses else None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = self._start(how)
        if start >= len(how.body):
            self.send_error(416)
            return
        self._send(how, start)

    def _start(self, how: Behaviour) -> int:
        wanted = self.headers.get("Range")
        same = self.headers.get("If-Range") in (None, how.etag)
        return int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and how.ranges and same else 0

    def _send(self, how: Behaviour, start: int) -> None:
        self.send_response(206 if start else 200)
        if start:
            shown = start + how.wrong_range
            self.send_header("Content-Range", f"bytes {shown}-{len(how.body) - 1}/{len(how.body)}")
        if how.etag:
            self.send_header("ETag", how.etag)
        if how.framing == "length":
            self.send_header("Content-Length", str(len(how.body) - start))
        if how.framing == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        cut = how.cuts.pop(0) if how.cuts else None
        sent = how.body[start : None if cut is None else start + cut]
        if how.framing == "chunked":
            sent = b"%x\r\n%s\r\n" % (len(sent), sent) + (b"0\r\n\r\n" if cut is None else b"")
        self.wfile.write(sent)
        self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Keeps the test's output clean."""


@pytest.fixture
def server() -> Iterator[tuple[str, Behaviour]]:
    """Yields (address, behaviour) of a server on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.behaviour = Behaviour()
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/a.zip?download=1", listening.behaviour
        listening.shutdown()
        thread.join()


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_downloaded_once(server, tmp_path: Path):
    url, how = server
    steps: list[tuple[int, int]] = []
    target = tmp_path / "new" / "a.zip"
    download(url, target, md5=MD5, size=len(BODY), on_progress=lambda *step: steps.append(step))
    assert target.read_bytes() == BODY
    assert steps[-1] == (len(BODY), len(BODY)) and steps == sorted(steps)
    assert download(url, target, md5=MD5, size=len(BODY)) == target
    assert len(how.seen) == 1
    assert left(target.parent) == {"a.zip"}


def test_a_connection_dropped_ten_times_loses_nothing(server, tmp_path: Path):
    url, how = server
    how.cuts = [1, 1000, 30_000, 7, 65_536, 20_000, 40_000, 9, 50_000, 30_000]
    target = tmp_path / "a.zip"
    download(url, target, sha256=hashlib.sha256(BODY).hexdigest(), wait_seconds=0)
    assert target.read_bytes() == BODY
    places = [sum([1, 1000, 30_000, 7, 65_536, 20_000, 40_000, 9, 50_000, 30_000][:cut]) for cut in range(1, 11)]
    assert how.asked("Range") == [None, *(f"bytes={place}-" for place in places)]
    assert how.asked("If-Range")[1:] == ['"one"'] * 10


def test_a_new_process_resumes_where_the_previous_one_stopped(server, tmp_path: Path):
    url, how = server
    how.cuts = [12_345] + [0] * 10
    with pytest.raises(DownloadError, match="12345 bytes are stored"):
        download(url, tmp_path / "a.zip", md5=MD5, wait_seconds=0)
    assert not (tmp_path / "a.zip").exists()
    how.cuts.clear()
    how.seen.clear()
    download(url, tmp_path / "a.zip", md5=MD5)
    assert how.asked("Range") == ["bytes=12345-"]
    assert (tmp_path / "a.zip").read_bytes() == BODY


def test_a_file_replaced_on_the_server_is_downloaded_from_the_start(server, tmp_path: Path):
    url, how = server
    how.cuts = [50_000] + [0] * 10
    with pytest.raises(DownloadError):
        download(url, tmp_path / "a.zip", wait_seconds=0)
    how.cuts.clear()
    how.etag, how.body = '"two"', BODY[::-1]
    assert download(url, tmp_path / "a.zip").read_bytes() == BODY[::-1]


@pytest.mark.parametrize("change", [{"ranges": False}, {"wrong_range": True}])
def test_without_range_support_the_download_restarts(server, tmp_path: Path, change: dict[str, bool]):
    url, how = server
    (tmp_path / "a.zip.part").write_bytes(b"x" * 1000)
    for name, value in change.items():
        setattr(how, name, value)
    assert download(url, tmp_path / "a.zip", md5=MD5, wait_seconds=0).read_bytes() == BODY


def test_a_partial_file_longer_than_the_file_is_discarded(server, tmp_path: Path):
    url, how = server
    (tmp_path / "a.zip.part").write_bytes(BODY + b"more")
    assert download(url, tmp_path / "a.zip", md5=MD5, wait_seconds=0).read_bytes() == BODY
    assert how.asked("Range")[1] is None


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_error_is_retried(server, tmp_path: Path, status: int):
    url, how = server
    how.statuses = [status, status]
    assert download(url, tmp_path / "a.zip", md5=MD5, wait_seconds=0).read_bytes() == BODY
    assert len(how.seen) == 3


def test_persistent_server_errors_end_the_download(server, tmp_path: Path):
    url, how = server
    how.statuses = [500] * 20
    with pytest.raises(DownloadError, match="answered 500") as failure:
        download(url, tmp_path / "a.zip", wait_seconds=0)
    assert (failure.value.code, failure.value.exit_code, len(how.seen)) == ("download_failed", 4, 5)


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_final(server, tmp_path: Path, status: int):
    url, how = server
    how.statuses = [status]
    with pytest.raises(DownloadError, match=f"answered {status}"):
        download(url, tmp_path / "a.zip", wait_seconds=0)
    assert len(how.seen) == 1 and left(tmp_path) == set()


@pytest.mark.parametrize(
    "lie", [{"md5": "0" * 32}, {"sha256": "0" * 64}, {"size": len(BODY) + 1}, {"size": len(BODY) - 1}]
)
def test_wrong_bytes_never_get_the_final_name(server, tmp_path: Path, lie: dict):
    url, _ = server
    with pytest.raises(DownloadError, match="wrong file") as failure:
        download(url, tmp_path / "a.zip", wait_seconds=0, **lie)
    assert failure.value.code in ("download_checksum", "download_failed")
    assert left(tmp_path) == set()


def test_an_existing_wrong_file_is_replaced(server, tmp_path: Path):
    url, _ = server
    (tmp_path / "a.zip").write_bytes(b"old")
    assert download(url, tmp_path / "a.zip", md5=MD5).read_bytes() == BODY


def test_a_response_without_a_length(server, tmp_path: Path):
    url, how = server
    how.framing = "close"
    assert download(url, tmp_path / "a.zip", md5=MD5).read_bytes() == BODY


def test_a_chunked_response_that_is_cut_off(server, tmp_path: Path):
    url, how = server
    how.framing, how.cuts = "chunked", [100_000]
    assert download(url, tmp_path / "a.zip", md5=MD5, wait_seconds=0).read_bytes() == BODY
    assert how.asked("Range") == [None, "bytes=100000-"]


def test_an_unreachable_server_is_explained(tmp_path: Path):
    with pytest.raises(DownloadError, match="0 bytes are stored"):
        download("http://127.0.0.1:9/a.zip", tmp_path / "a.zip", wait_seconds=0)


@pytest.mark.parametrize("url", ["no-address", "ftp://127.0.0.1/a.zip", "http://"])
def test_an_invalid_address_is_explained(tmp_path: Path, url: str):
    with pytest.raises(DownloadError, match="Check the address"):
        download(url, tmp_path / "a.zip")


def test_a_full_disk_is_reported(server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url, _ = server

    class Full(io.BytesIO):
        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda *arguments, **options: Full())
    with pytest.raises(DownloadError, match="No space left on device") as failure:
        download(url, tmp_path / "a.zip")
    assert failure.value.code == "download_disk"


def test_a_folder_that_cannot_be_created(server, tmp_path: Path):
    url, _ = server
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="choose another folder"):
        download(url, tmp_path / "file" / "a.zip")


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    """Makes a zip file from {name: content}."""

    def make(files: dict[str, bytes]) -> Path:
        path = tmp_path / "made.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in files.items():
                made.writestr(name, content)
        return path

    return make


def test_an_archive_is_unpacked_once(archive, tmp_path: Path):
    steps: list[tuple[int, int]] = []
    made = archive({"Actor_01/a.wav": b"one", "Actor_02/b.wav": b"three"})
    folder = extract_zip(made, tmp_path / "out", lambda *step: steps.append(step))
    assert (folder / "Actor_02" / "b.wav").read_bytes() == b"three"
    assert steps == [(3, 8), (8, 8)]
    (folder / "Actor_01" / "a.wav").write_bytes(b"mine")
    extract_zip(made, folder)
    assert (folder / "Actor_01" / "a.wav").read_bytes() == b"mine"
    assert left(tmp_path) == {"made.zip", "out"}


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:/evil"])
def test_an_archive_cannot_write_outside(archive, tmp_path: Path, name: str):
    with pytest.raises(DownloadError, match="outside its folder"):
        extract_zip(archive({"good": b"", name: b""}), tmp_path / "deep" / "out")
    assert left(tmp_path) == {"made.zip"}


def test_leftovers_of_a_killed_unpacking_are_discarded(archive, tmp_path: Path):
    (tmp_path / "out.part").mkdir()
    (tmp_path / "out.part" / "half").touch()
    (tmp_path / "out").mkdir()
    assert left(extract_zip(archive({"whole": b""}), tmp_path / "out")) == {"whole"}


@pytest.mark.parametrize("damage", [lambda data: b"no archive", lambda data: data[:60] + b"####" + data[64:]])
def test_a_damaged_archive_leaves_nothing(archive, tmp_path: Path, damage: Callable[[bytes], bytes]):
    made = archive({"a.wav": BODY})
    made.write_bytes(damage(made.read_bytes()))
    with pytest.raises(DownloadError, match="damaged archive"):
        extract_zip(made, tmp_path / "out")
    assert left(tmp_path) == {"made.zip"}


@pytest.mark.corpus
def test_a_published_archive_arrives_despite_dropped_connections(server, corpora_root: Path, tmp_path: Path):
    """One actor of RAVDESS as published (9 MB), with the connection dropped twice."""
    url, how = server
    how.body = (corpora_root / "ravdess-original" / "Audio_Speech_Actor_01.zip").read_bytes()
    how.cuts = [3_000_000, 4_000_001]
    file = download(url, tmp_path / "actor.zip", md5="2962531f30778cadc5567a1d9f1ca942", size=9_152_631, wait_seconds=0)
    assert how.asked("Range") == [None, "bytes=3000000-", "bytes=7000001-"]
    folder = extract_zip(file, tmp_path / "ravdess")
    assert len(list(folder.glob("Actor_01/03-01-*.wav"))) == 60
