"""Downloads files resumably and verifies size and hash before the final name appears.

Received bytes are stored in ``<name>.part``, so that a broken connection or a killed program loses nothing. The
server's version of the file (ETag) is stored in ``<name>.part.etag``: a download resumes only while that is unchanged.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import requests
import urllib3

from ser.core.atomic_write import write_text
from ser.core.errors import DownloadError

ATTEMPTS = 5  # in a row without any progress
TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 16
TRY_AGAIN = (408, 429)  # and every status from 500 on

Progress = Callable[[int, int], None]  # bytes done, total bytes


class _Interrupted(Exception):
    """This attempt ended early; another one may resume."""


def download(
    url: str,
    target: Path,
    *,
    md5: str | None = None,
    sha256: str | None = None,
    size: int | None = None,
    on_progress: Progress | None = None,
    wait_seconds: float = 1.0,
) -> Path:
    """Downloads ``url`` to ``target``; does nothing if the right file is already there.

    Args:
        url: http or https address.
        target: final name, which appears only once the bytes are verified.
        md5: expected hash, hexadecimal.
        sha256: expected hash, hexadecimal.
        size: expected bytes.
        on_progress: called with (bytes done, total bytes or 0).
        wait_seconds: pause in s before the first retry, doubled for each further one.

    Raises:
        DownloadError: the server cannot be reached or refuses (``download_failed``), size or hash are wrong
            (``download_checksum``), or the file cannot be written (``download_disk``).
    """
    if target.exists() and not _fault(target, md5, sha256, size):
        return target
    part = target.with_name(f"{target.name}.part")
    with _writing(part):
        target.parent.mkdir(parents=True, exist_ok=True)
    _fetch_all(url, part, size, on_progress, wait_seconds)
    if fault := _fault(part, md5, sha256, size):
        _forget(part)
        raise DownloadError(
            f"{url} sent the wrong file: {fault}. It was deleted; try again or use a mirror.", "download_checksum"
        )
    with _writing(target):
        part.replace(target)
    _forget(part)
    return target


def extract_zip(archive: Path, folder: Path, on_progress: Progress | None = None) -> Path:
    """Unpacks an archive into ``folder``, which appears only when complete; an existing one is left alone.

    Args:
        archive: the zip file.
        folder: the folder to unpack into.
        on_progress: called with (bytes unpacked, total bytes).

    Raises:
        DownloadError: the archive is damaged or would write outside the folder (``download_failed``), or the folder
            cannot be written (``download_disk``).
    """
    if folder.exists() and any(folder.iterdir()):
        return folder
    making = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    try:
        _unpack(archive, making, on_progress)
        with _writing(folder):
            if folder.exists():
                folder.rmdir()
            making.replace(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def _unpack(archive: Path, folder: Path, on_progress: Progress | None) -> None:
    try:
        with zipfile.ZipFile(archive) as files, _writing(folder):
            for name in files.namelist():
                if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or {"\\", ":"} & set(name):
                    raise DownloadError(f"{archive} would write outside its folder ({name}); it was not unpacked.")
            done, total = 0, sum(info.file_size for info in files.infolist())
            folder.mkdir(parents=True)
            for info in files.infolist():
                files.extract(info, folder)
                done += info.file_size
                if on_progress:
                    on_progress(done, total)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DownloadError(f"{archive} is a damaged archive ({error}); delete it and download it again.") from error


def _fetch_all(url: str, part: Path, size: int | None, on_progress: Progress | None, wait_seconds: float) -> None:
    """Retries from where the connection broke until the file is complete."""
    failures = 0
    while True:
        before = _bytes(part)
        try:
            _fetch(url, part, size, on_progress)
            return
        except (requests.ConnectionError, requests.Timeout, _Interrupted) as error:
            failures = 1 if _bytes(part) > before else failures + 1
            if failures >= ATTEMPTS:
                raise DownloadError(
                    f"{url} cannot be downloaded: {_reason(error)}. {_bytes(part)} bytes are stored; the next attempt "
                    "resumes there. Check the connection, or use a mirror."
                ) from error
            time.sleep(wait_seconds * 2 ** (failures - 1))
        except requests.RequestException as error:
            raise DownloadError(f"{url} cannot be downloaded: {_reason(error)}. Check the address.") from error


def _fetch(url: str, part: Path, size: int | None, on_progress: Progress | None) -> None:
    """Makes one request; appends to the stored bytes if the server resumes there."""
    have = _bytes(part)
    if size is not None and have >= size:
        return
    with requests.get(url, headers=_headers(part, have), stream=True, timeout=TIMEOUT_SECONDS) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            _forget(part)
            raise _Interrupted("the server has no bytes beyond the stored ones; starting over")
        if answer.status_code >= 500 or answer.status_code in TRY_AGAIN:
            raise _Interrupted(f"the server answered {answer.status_code} {answer.reason}")
        if not answer.ok:
            raise DownloadError(f"{url} answered {answer.status_code} {answer.reason}; expected the file.")
        resumed = answer.status_code == requests.codes.partial_content
        if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            _forget(part)
            raise _Interrupted("the server resumed at another position; starting over")
        _receive(answer, part, have if resumed else 0, size, on_progress)


def _headers(part: Path, have: int) -> dict[str, str]:
    """Asks for the remaining bytes unless the file has changed on the server; never for a compressed copy."""
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        with contextlib.suppress(OSError):
            headers["If-Range"] = _version(part).read_text(encoding="utf-8")
    return headers


def _receive(answer: requests.Response, part: Path, done: int, size: int | None, on_progress: Progress | None) -> None:
    """Writes a response after the first ``done`` bytes of ``part``."""
    length = answer.headers.get("Content-Length", "")
    end = done + int(length) if length.isdigit() else None
    with _writing(part):
        if not done:
            _remember_version(answer, part)
        with part.open("ab" if done else "wb") as file:
            for chunk in _chunks(answer):
                file.write(chunk)
                done += len(chunk)
                if on_progress:
                    on_progress(done, size or end or 0)
            file.flush()
            os.fsync(file.fileno())
    if end is not None and done < end:
        raise _Interrupted(f"the connection ended after {done} of {end} bytes")


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """Yields the body as it arrives: ``iter_content`` would lose the chunk in which the connection breaks."""
    try:
        while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=False):
            yield chunk
    except urllib3.exceptions.HTTPError as error:
        raise _Interrupted("the connection broke") from error


def _remember_version(answer: requests.Response, part: Path) -> None:
    version = answer.headers.get("ETag", "")
    _version(part).unlink(missing_ok=True)
    if version.startswith('"'):  # a weak ETag does not promise identical bytes
        write_text(_version(part), version)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turns an ``OSError`` into a ``DownloadError`` that says what to do."""
    try:
        yield
    except OSError as error:
        raise DownloadError(
            f"{path} cannot be written: {error.strerror or error}. Free some disk space or choose another folder, then "
            "run the same command again.",
            "download_disk",
        ) from error


def _reason(error: Exception) -> str:
    """Returns a short reason; the messages of requests contain whole objects."""
    return str(error) if isinstance(error, _Interrupted) else type(error).__name__


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _version(part).unlink(missing_ok=True)


def _version(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _fault(file: Path, md5: str | None, sha256: str | None, size: int | None) -> str:
    """Says what is wrong with a file; empty if it is right."""
    if size is not None and _bytes(file) != size:
        return f"{_bytes(file)} bytes instead of {size}"
    for name, expected in (("md5", md5), ("sha256", sha256)):
        if expected is not None:
            with file.open("rb") as stream:
                found = hashlib.file_digest(stream, name).hexdigest()
            if found != expected:
                return f"{name} {found} instead of {expected}"
    return ""


def _bytes(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
