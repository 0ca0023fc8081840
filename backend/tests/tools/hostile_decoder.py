"""Provides a decoder that crashes, hangs, exhausts memory or returns invalid data, as the recording instructs it."""

from __future__ import annotations

import os

POSIX = os.name == "posix"
WAYS = [b"exit", b"raise", b"lie", b"spin", b"sleep"] + ([b"crash", b"eat"] if POSIX else [])
# The program of such a helper process, for python -c.
EVIL = """
import os, signal, socket, time
import numpy as np
from ser.audio.waveform import Waveform
from ser.audio.decode_worker import serve

def evil(content, max_seconds):
    word, _, rest = content.decode().partition(" ")
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "exit":
        os._exit(3)
    if word == "raise":
        raise RuntimeError("a mistake in a library")
    if word == "spin":
        while True:
            pass
    if word == "sleep":
        time.sleep(600)
    if word == "eat":
        bytearray(1 << 28)
    if word == "lie":
        os.write(1, bytes([1] + 200 * [255]))
    if word == "open":
        try:
            open(rest).close()
        except OSError:
            return Waveform(np.zeros(1, np.float32), 8000)
    if word == "connect":
        try:
            socket.create_connection(("127.0.0.1", int(rest)), 1)
        except OSError:
            return Waveform(np.zeros(1, np.float32), 8000)
    return Waveform(np.full(len(rest), 0.5, np.float32), 16000)

serve(evil, memory_bytes=1 << 27)
"""
