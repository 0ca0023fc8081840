"""Decodes untrusted recordings in helper processes, which may crash, hang or exhaust memory without harm.

A helper (``python -m ser.audio.decode_worker``) is started in advance and decodes one recording after the other. Data
goes through its pipes, never the disk. It cannot open a file or a socket, write anything, or exceed its limits of time
and memory (``ser.core.resource_limits``); the server kills it at its timeout, which is the only limit on Windows. When
a helper dies, only its current recording is lost, and it is replaced. A helper adds 1.3 ms for a 3 s WAV (1.9 instead
of 0.6 ms), so small files go through one too.
"""

from __future__ import annotations

import codecs
import importlib
import json
import logging
import os
import pkgutil
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, TypeVar

import numpy as np

from ser.audio.waveform import Waveform, decode
from ser.core.errors import AudioError
from ser.core.resource_limits import allow_seconds, confine
from ser.core.subprocesses import python_command, python_environment

log = logging.getLogger(__name__)

MEMORY_BYTES = 1 << 30  # a helper may grow by this much: half an hour at 48 kHz, twice
LEAST_SECONDS = 5.0  # for any recording
SECONDS_A_MEBIBYTE = 1.0  # on top, for large ones
START_SECONDS = 60.0  # for importing its libraries, also on a busy machine
CLAIMED_BYTES = 1 << 30  # a header that claims more is refused, whatever the file contains

_ASK = struct.Struct("<Qdd")  # bytes, longest recording in s, timeout in s
_ANSWER = struct.Struct("<?IQ")  # whether it was decoded, Hz, bytes
_READY = b"!"

Decode = Callable[[bytes, float], Waveform]
T = TypeVar("T")


def allowed_seconds(size: int) -> float:
    """Returns the timeout for decoding this many bytes, in s."""
    return LEAST_SECONDS + SECONDS_A_MEBIBYTE * size / (1 << 20)


class Decoders:
    """A pool of decoder processes; safe to use from several threads.

    Args:
        count: number of recordings decoded at a time.
        program: what a helper runs; only tests run another one.
        seconds: timeout in s for a number of bytes.
    """

    def __init__(
        self,
        count: int,
        *,
        program: Sequence[str] = ("-m", "ser.audio.decode_worker"),
        seconds: Callable[[int], float] = allowed_seconds,
    ):
        self._command = python_command(program)
        self._seconds = seconds
        self._idle: queue.SimpleQueue[_Helper] = queue.SimpleQueue()
        self._helpers = [_Helper(self._command) for _ in range(count)]
        for helper in self._helpers:
            self._idle.put(helper)

    def __enter__(self) -> Decoders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def decode(self, content: bytes, max_seconds: float) -> Waveform:
        """Reads a recording as ``ser.audio.waveform.decode`` does.

        Raises:
            AudioError: as ``ser.audio.waveform.decode``; or the header claims more than ``CLAIMED_BYTES``, as those of
                streams do (``audio_unreadable``); or the helper crashed, took too long, or needed too much memory
                (``audio_undecodable``).
        """
        helper = self._idle.get()
        try:
            if not helper.alive:  # died while idle, not because of this recording
                helper.restart()
            return helper.decode(content, max_seconds, self._seconds(len(content)))
        except AudioError:
            raise
        except Exception as error:  # a helper that failed is no longer trusted
            helper.restart()
            log.warning("a decoding helper failed (%s: %s) and was replaced", type(error).__name__, error)
            raise _undecodable() from error
        finally:
            self._idle.put(helper)

    def close(self) -> None:
        """Ends the helpers."""
        for helper in self._helpers:
            helper.stop()


class _Helper:
    """One helper process and its pipes."""

    def __init__(self, command: list[str]):
        self._command = command
        self._start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def restart(self) -> None:
        self.stop()
        self._start()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # unsent data is dropped
                pipe.close()

    def decode(self, content: bytes, max_seconds: float, seconds: float) -> Waveform:
        """Raises any kind of error if the helper died, was killed at its timeout, or broke the protocol."""
        if not self._ready:
            self._within(START_SECONDS, lambda: _read(self._process.stdout, len(_READY)))
            self._ready = True
        decoded, sample_rate, answer = self._within(seconds, lambda: self._ask(content, max_seconds, seconds))
        if decoded:
            return Waveform(np.frombuffer(answer, np.float32), sample_rate)
        raise AudioError(**json.loads(answer))

    def _start(self) -> None:
        # Ctrl-C in a terminal reaches its whole process group; the server stops its helpers itself, when it is done
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"process_group": 0}
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries may print details of a recording there
            env=python_environment(OMP_NUM_THREADS="1"),
            **group,
        )
        self._ready = False

    def _within(self, seconds: float, act: Callable[[], T]) -> T:
        """Runs ``act``; kills the helper if it takes longer, which makes ``act`` fail."""
        watch = threading.Timer(seconds, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            return act()
        finally:
            watch.cancel()

    def _ask(self, content: bytes, max_seconds: float, seconds: float) -> tuple[bool, int, bytearray]:
        self._process.stdin.write(_ASK.pack(len(content), max_seconds, seconds))
        self._process.stdin.write(content)
        self._process.stdin.flush()
        decoded, sample_rate, size = _ANSWER.unpack(_read(self._process.stdout, _ANSWER.size))
        if size > MEMORY_BYTES:
            raise ValueError(f"the helper announced {size} bytes")
        return decoded, sample_rate, _read(self._process.stdout, size)


def serve(decode: Decode = decode, memory_bytes: int = MEMORY_BYTES) -> None:
    """Decodes what arrives on stdin until that ends; runs in a helper.

    Args:
        decode: decodes a recording.
        memory_bytes: how much the process may grow.
    """
    _import_everything()
    confine(memory_bytes)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sink.write(_READY)
    sink.flush()
    while len(head := source.read(_ASK.size)) == _ASK.size:
        size, max_seconds, seconds = _ASK.unpack(head)
        allow_seconds(seconds)
        decoded, sample_rate, answer = _attempt(decode, source.read(size), max_seconds)
        sink.write(_ANSWER.pack(decoded, sample_rate, len(answer)))
        sink.write(answer)
        sink.flush()


def _import_everything() -> None:
    """Imports what PyAV would import on demand; later not even a module can be opened."""
    import av

    for module in pkgutil.walk_packages(av.__path__, "av."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("ascii", "latin-1", "utf-8", "idna"):
        codecs.lookup(name)


def claimed_bytes(content: bytes) -> int:
    """Returns the largest size that the header of a WAV or AIFF file claims, in bytes; 0 for other files.

    Formats: RIFF (Microsoft, 1991), RF64 (EBU Tech 3306), IFF (Electronic Arts, 1985).
    """
    if content[:4] == b"RF64":  # its 32-bit sizes are unused; the 64-bit ones follow
        return max(struct.unpack_from("<QQ", content, 20)) if len(content) >= 36 else 0
    if content[:4] not in (b"RIFF", b"RIFX", b"FORM"):
        return 0
    order = "little" if content[:4] == b"RIFF" else "big"
    most, name, place = int.from_bytes(content[4:8], order), b"", 12
    while place < len(content) and name not in (b"data", b"SSND"):  # chunks after the audio do not matter
        name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], order)
        most, place = max(most, size), place + 8 + size + size % 2
    return most


def _check_claim(content: bytes) -> None:
    if (claim := claimed_bytes(content)) > CLAIMED_BYTES:
        raise AudioError(
            f"The header claims {claim / (1 << 30):.1f} GiB, but the file has {len(content)} bytes: it is truncated or "
            "was written as a stream of unknown length. Open it in an audio editor and save it again."
        )


def _attempt(decode: Decode, content: bytes, max_seconds: float) -> tuple[bool, int, memoryview]:
    try:
        _check_claim(content)
        waveform = decode(content, max_seconds)
    except (AudioError, MemoryError) as error:
        known = error if isinstance(error, AudioError) else _undecodable()
        return False, 0, memoryview(json.dumps({"message": str(known), "code": known.code}).encode())
    return True, waveform.sample_rate, memoryview(np.ascontiguousarray(waveform.samples)).cast("B")


def _read(source: BinaryIO, size: int) -> bytearray:
    """Reads exactly this many bytes, into memory that PyTorch can share.

    Raises:
        EOFError: the helper ended early.
    """
    content, place = bytearray(size), 0
    while place < size:
        count = source.readinto(memoryview(content)[place:])
        if not count:
            raise EOFError("the helper ended")
        place += count
    return content


def _undecodable() -> AudioError:
    return AudioError(
        "Decoding the recording crashed the decoder, took too long or needed too much memory. Export it again, for "
        "instance as 16-bit WAV.",
        "audio_undecodable",
    )


if __name__ == "__main__":
    serve()
