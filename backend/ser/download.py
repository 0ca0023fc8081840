"""Owns verified downloads: resumable, checked by size and hash before the final name appears.

What has arrived is kept in ``<name>.part``, so that a cut connection or a killed program loses nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import requests

from ser.errors import DownloadError

ATTEMPTS = 5  # without any progress in between
TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 16

Progress = Callable[[int, int], None]  # bytes done, bytes in all


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
    """Fetches ``url`` into ``target``; nothing is fetched when the right file is already there.

    Args:
        url: http or https address.
        target: final name, which appears only with the right bytes.
        md5: expected hash, hexadecimal.
        sha256: expected hash, hexadecimal.
        size: expected bytes.
        on_progress: called with (bytes done, bytes in all or 0).
        wait_seconds: pause before the first further attempt, doubled each time.

    Raises:
        DownloadError: the server cannot be reached or refuses (``download_failed``), the bytes are not the expected
            ones (``download_checksum``), or the disk is full (``download_disk``).
    """
    if target.exists() and not _fault(target, md5, sha256, size):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    _fetch_all(url, part, size, on_progress, wait_seconds)
    if fault := _fault(part, md5, sha256, size):
        part.unlink()
        raise DownloadError(
            f"{url} gave the wrong file: {fault}. Nothing was kept; try again or name a mirror.", "download_checksum"
        )
    part.replace(target)
    return target


def extract_zip(archive: Path, folder: Path) -> Path:
    """Unpacks an archive into ``folder``, which appears only when it is complete.

    Raises:
        DownloadError: the archive is damaged, or would write outside the folder.
    """
    if folder.exists() and any(folder.iterdir()):
        return folder
    making = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as files:
            for name in files.namelist():
                if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
                    raise DownloadError(f"{archive} would write outside its folder ({name}); it was not unpacked.")
            files.extractall(making)
    except (zipfile.BadZipFile, EOFError) as error:
        raise DownloadError(f"{archive} is a damaged archive ({error}); delete it and download again.") from error
    if folder.exists():
        folder.rmdir()
    making.replace(folder)
    return folder


def _fetch_all(url: str, part: Path, size: int | None, on_progress: Progress | None, wait_seconds: float) -> None:
    """Asks again from where the connection broke, until everything is there."""
    failures = 0
    while True:
        before = _bytes(part)
        try:
            _fetch(url, part, size, on_progress)
            return
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            failures = 1 if _bytes(part) > before else failures + 1
            if failures >= ATTEMPTS:
                raise DownloadError(
                    f"{url} cannot be reached ({type(error).__name__}); {_bytes(part)} bytes are kept and the next "
                    "attempt goes on there. Check the connection, or name a mirror."
                ) from error
            time.sleep(wait_seconds * 2 ** (failures - 1))


def _fetch(url: str, part: Path, size: int | None, on_progress: Progress | None) -> None:
    """One request; appends to what is there when the server agrees to go on there."""
    have = _bytes(part)
    if size is not None and have >= size:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            raise requests.ConnectionError("the server has fewer bytes than are here; beginning anew")
        if answer.status_code >= 500:
            raise requests.ConnectionError(f"status {answer.status_code}")
        if not answer.ok:
            raise DownloadError(f"{url} answered {answer.status_code} {answer.reason}; expected the file.")
        resumed = answer.status_code == requests.codes.partial_content
        done = have if resumed else 0
        total = size or done + int(answer.headers.get("Content-Length", 0))
        _append(answer, part, "ab" if resumed else "wb", done, total, on_progress)


def _append(
    answer: requests.Response, part: Path, mode: str, done: int, total: int, on_progress: Progress | None
) -> None:
    expected = done + int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None
    try:
        with part.open(mode) as file:
            for chunk in answer.iter_content(CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                if on_progress:
                    on_progress(done, total)
    except requests.RequestException:
        raise
    except OSError as error:
        raise DownloadError(
            f"{part} cannot be written: {error.strerror}. Free some space and run the same command again.",
            "download_disk",
        ) from error
    if expected is not None and done < expected:
        raise requests.ConnectionError("the connection ended early")


def _fault(file: Path, md5: str | None, sha256: str | None, size: int | None) -> str:
    """Says what is wrong with a file, nothing when it is right."""
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
