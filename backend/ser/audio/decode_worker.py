"""Owns decoding what strangers send: in helper processes that may crash, hang or eat memory without any harm.

A helper (``python -m ser.audio.decode_worker``) is started before it is needed and decodes one recording after the
other. What comes and what goes takes its pipes, never the disk. It cannot open a file or a socket, write anything, or
use more than its share of time and memory (``ser.core.resource_limits``); whoever waits for it kills it when its time
is over, which is the only limit on Windows. A helper that dies costs the recording it died of, and is replaced. Going
through a helper costs 1.3 ms for a 3 s WAV (0.6 ms here, 1.9 ms there), so that even small and simple files do.
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

MEMORY_BYTES = 1 << 30  # a helper may grow by so much: half an hour at 48 kHz, twice
LEAST_SECONDS = 5.0  # what any recording may take
SECONDS_A_MEBIBYTE = 1.0  # and more for large ones
START_SECONDS = 60.0  # a helper imports its libraries; a busy machine takes its time
CLAIMED_BYTES = 1 << 30  # a header that claims more is refused, whatever the file holds

_ASK = struct.Struct("<Qdd")  # bytes, longest recording in s, s that it may take
_ANSWER = struct.Struct("<?IQ")  # whether it was decoded, Hz, bytes
_READY = b"!"

Decode = Callable[[bytes, float], Waveform]
T = TypeVar("T")


def allowed_seconds(size: int) -> float:
    """Returns how long decoding so many bytes may take, in s."""
    return LEAST_SECONDS + SECONDS_A_MEBIBYTE * size / (1 << 20)


class Decoders:
    """Some helper processes; safe to use from several threads.

    Args:
        count: how many recordings are decoded at a time.
        program: what a helper runs; only tests run another one.
        seconds: how long decoding a number of bytes may take.
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
            AudioError: as ``ser.audio.waveform.decode``; or its header claims more than ``CLAIMED_BYTES``, as those of
                streams do (``audio_unreadable``); or the helper crashed over it, took too long, or needed too much
                memory (``audio_undecodable``).
        """
        helper = self._idle.get()
        try:
            if not helper.alive:  # died on its own, which is no fault of this recording
                helper.restart()
            return helper.decode(content, max_seconds, self._seconds(len(content)))
        except AudioError:
            raise
        except Exception as error:  # whatever a helper does or says: it is not to be trusted any more
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
            with suppress(OSError):  # what was left to write goes nowhere
                pipe.close()

    def decode(self, content: bytes, max_seconds: float, seconds: float) -> Waveform:
        """Raises an error of any kind where the helper died, was killed for its time, or talks nonsense."""
        if not self._ready:
            self._within(START_SECONDS, lambda: _read(self._process.stdout, len(_READY)))
            self._ready = True
        decoded, sample_rate, answer = self._within(seconds, lambda: self._ask(content, max_seconds, seconds))
        if decoded:
            return Waveform(np.frombuffer(answer, np.float32), sample_rate)
        raise AudioError(**json.loads(answer))

    def _start(self) -> None:
        # Ctrl-C in a terminal reaches all of its group: the server stops its helpers itself, when it needs them no more
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"process_group": 0}
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries may say there what is in a recording
            env=python_environment(OMP_NUM_THREADS="1"),
            **group,
        )
        self._ready = False

    def _within(self, seconds: float, act: Callable[[], T]) -> T:
        """Does something that ends with an error when it takes longer."""
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
            raise ValueError(f"it announced {size} bytes")
        return decoded, sample_rate, _read(self._process.stdout, size)


def serve(decode: Decode = decode, memory_bytes: int = MEMORY_BYTES) -> None:
    """Decodes what comes through stdin until that ends; runs in a helper.

    Args:
        decode: reads a recording.
        memory_bytes: what it may need beside what it has.
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
    """Loads what PyAV would load when it meets a stream of some kind; later not even a module can be opened."""
    import av

    for module in pkgutil.walk_packages(av.__path__, "av."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("ascii", "latin-1", "utf-8", "idna"):
        codecs.lookup(name)


def claimed_bytes(content: bytes) -> int:
    """Returns the most that the header of a WAV or AIFF file claims to hold, in bytes; 0 for any other file.

    Formats: RIFF (Microsoft, 1991), RF64 (EBU Tech 3306), IFF (Electronic Arts, 1985).
    """
    if content[:4] == b"RF64":  # its 32 bits are all set; the true sizes of the file and of the sound come first
        return max(struct.unpack_from("<QQ", content, 20)) if len(content) >= 36 else 0
    if content[:4] not in (b"RIFF", b"RIFX", b"FORM"):
        return 0
    order = "little" if content[:4] == b"RIFF" else "big"
    most, name, place = int.from_bytes(content[4:8], order), b"", 12
    while place < len(content) and name not in (b"data", b"SSND"):  # nothing counts on what follows the sound
        name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], order)
        most, place = max(most, size), place + 8 + size + size % 2
    return most


def _check_claim(content: bytes) -> None:
    if (claim := claimed_bytes(content)) > CLAIMED_BYTES:
        raise AudioError(
            f"The header claims {claim / (1 << 30):.1f} GiB, the file has {len(content)} bytes: it was cut off, or "
            "written by a program that never said where it ends. Open it in an audio editor and save it again."
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
    """Reads exactly so many bytes, into memory that PyTorch may share.

    Raises:
        EOFError: the helper ended before.
    """
    content, place = bytearray(size), 0
    while place < size:
        count = source.readinto(memoryview(content)[place:])
        if not count:
            raise EOFError("it ended")
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
