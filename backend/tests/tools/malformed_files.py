"""Makes hostile recordings: mutations of every format, decompression bombs, and other files disguised as recordings.

Everything is derived from a seed, so that a file that causes a failure can be reproduced.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from functools import cache

import av
import numpy as np
import soundfile

SNDFILE = {
    "wav": ("WAV", "PCM_16"),
    "float wav": ("WAV", "FLOAT"),
    "mu-law wav": ("WAV", "ULAW"),
    "rf64": ("RF64", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "aiff": ("AIFF", "PCM_16"),
}
FFMPEG = {"m4a": ("mp4", "aac"), "aac": ("adts", "aac"), "webm": ("webm", "libopus"), "mp4 opus": ("mp4", "libopus")}
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
HEADER_BYTES = 96  # where most formats describe their layout

Change = Callable[[bytearray, np.random.Generator], bytes]


@cache
def originals() -> dict[str, bytes]:
    """Returns half a second of audio in every format."""
    time = np.arange(24_000) / 48_000
    samples = (0.3 * np.sin(2 * np.pi * 220 * time) * np.exp(-time)).astype(np.float32)
    return {
        **{name: _sndfile(samples, *form) for name, form in SNDFILE.items()},
        **{name: _ffmpeg(samples, *form) for name, form in FFMPEG.items()},
    }


def malformed(count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yields name and content of ``count`` damaged files, with every format and every mutation in turn."""
    draw = np.random.default_rng(seed)
    files = list(originals().items())
    for number in range(count):
        name, content = files[number % len(files)]
        change = CHANGES[number // len(files) % len(CHANGES)]
        yield f"{number}: {name}, {change.__name__}", change(bytearray(content), draw)


def truncated(content: bytearray, draw: np.random.Generator) -> bytes:
    """Truncates the content."""
    return bytes(content[: draw.integers(1, len(content))])


def flipped(content: bytearray, draw: np.random.Generator) -> bytes:
    """Flips a few bits anywhere."""
    for place in draw.integers(0, len(content), draw.integers(1, 64)):
        content[place] ^= 1 << draw.integers(8)
    return bytes(content)


def lying(content: bytearray, draw: np.random.Generator) -> bytes:
    """Writes extreme numbers into the header."""
    for _ in range(draw.integers(1, 5)):
        size, order = draw.choice([1, 2, 4]), draw.choice(["little", "big"])
        place = int(draw.integers(4, min(HEADER_BYTES, len(content) - 4)))
        value = EXTREMES[draw.integers(len(EXTREMES))] & (1 << 8 * int(size)) - 1
        content[place : place + int(size)] = value.to_bytes(int(size), order)
    return bytes(content)


def noisy(content: bytearray, draw: np.random.Generator) -> bytes:
    """Overwrites a part after the header with noise."""
    place = int(draw.integers(16, len(content)))
    noise = draw.integers(0, 256, draw.integers(1, 4096), np.uint8).tobytes()
    return bytes(content[:place]) + noise + bytes(content[place + len(noise) :])


def shortened(content: bytearray, draw: np.random.Generator) -> bytes:
    """Removes a part from the middle."""
    first, last = sorted(draw.integers(8, len(content), 2).tolist())
    return bytes(content[:first] + content[last:])


def repeated(content: bytearray, draw: np.random.Generator) -> bytes:
    """Repeats a part many times."""
    first, last = sorted(draw.integers(0, len(content), 2).tolist())
    return bytes(content[:first]) + bytes(content[first:last]) * int(draw.integers(2, 40)) + bytes(content[last:])


def crossed(content: bytearray, draw: np.random.Generator) -> bytes:
    """Joins the beginning of one format to the rest of another."""
    other = list(originals().values())[draw.integers(len(originals()))]
    cut = int(draw.integers(4, 200))
    return bytes(content[:cut]) + other[cut:]


CHANGES: tuple[Change, ...] = (truncated, flipped, lying, noisy, shortened, repeated, crossed)


@cache
def bombs(seconds: float = 2400.0) -> dict[str, bytes]:
    """Returns small files that decode to large ones.

    Args:
        seconds: duration of the files that hold silence.
    """
    return {
        "hours of silence in FLAC": _silence("FLAC", "PCM_16", seconds),
        "hours of silence in Opus": _silence("OGG", "OPUS", seconds),
        "255 channels": _wav(channels=255),
        "4 GHz": _wav(sample_rate=4_000_000_000),
        "a FLAC that claims days": _flac_of_days(),
        **claiming_4_gib(),
    }


def claiming_4_gib() -> dict[str, bytes]:
    """Returns files of at most one second whose headers claim 4 or 2 GiB, as those of streams do."""
    rf64 = bytearray(originals()["rf64"])
    place = rf64.index(b"ds64") + 8  # file size, data size, number of samples: 64 bits each
    rf64[place : place + 24] = struct.pack("<QQQ", (1 << 32) + 92, 1 << 32, 1 << 31)
    aiff = bytearray(originals()["aiff"])
    for place in (4, aiff.index(b"COMM") + 10, aiff.index(b"SSND") + 4):  # file size, samples, data size
        aiff[place : place + 4] = b"\xff" * 4
    return {
        "a WAV of a stream": _wav(size=0xFFFFFFFF),
        "a WAV of half a stream": _wav(size=0x7FFFFFFF),
        "a WAV that claims 4 GiB": _wav(size=0xFFFF0000),
        "an RF64 that claims 4 GiB": bytes(rf64),
        "an AIFF that claims 4 GiB": bytes(aiff),
    }


def disguised() -> dict[str, bytes]:
    """Returns files that are not recordings, to be sent as such; some refer to a file or an address."""
    target = "file:///etc/hostname"
    return {
        "m3u8 playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n".encode(),
        "concat script": f"ffconcat version 1.0\nfile '{target}'\n".encode(),
        "pls playlist": f"[playlist]\nFile1={target}\n".encode(),
        "DASH manifest": f'<?xml version="1.0"?><MPD><BaseURL>{target}</BaseURL></MPD>'.encode(),
        "SDP": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
        "zip archive": b"PK\x03\x04" + bytes(300),
        "gzip archive": b"\x1f\x8b\x08" + bytes(300),
        "HTML": b"<!doctype html><script>alert(1)</script>",
        "Windows program": b"MZ\x90" + bytes(300),
        "Linux program": b"\x7fELF" + bytes(300),
        "PDF": b"%PDF-1.7\n" + bytes(300),
        "SVG": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{target}"/></svg>'.encode(),
    }


def referring(path: str) -> bytes:
    """Returns ``originals()["m4a"]`` without its audio, and with a reference to the file at ``path`` instead."""
    content = bytearray(originals()["m4a"])
    data = content.index(b"mdat")
    size = int.from_bytes(content[data - 4 : data], "big") - 8
    content[data + 4 : data + 4 + size] = bytes(size)
    name = path.encode()
    # A QuickTime alias record: 150 bytes about volume and folder, then numbered fields; 2 is the path, -1 the end.
    fields = struct.pack(">HH", 2, len(name)) + name + b"\0" * (len(name) % 2) + struct.pack(">HH", 0xFFFF, 0)
    entry = struct.pack(">I4sI", 12 + 150 + len(fields), b"alis", 0) + bytes(150) + fields
    place, old = content.index(b"dref"), 12  # the entry that means "in this file"
    grown = bytes(content[: place + 12]) + entry + bytes(content[place + 12 + old :])
    return _with_larger_boxes(grown, place, len(entry) - old)


def _with_larger_boxes(content: bytes, place: int, more: int) -> bytes:
    """Increases the sizes of the MP4 boxes around a position."""
    changed = bytearray(content)
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        at = content.rindex(name, 0, place + 4) - 4
        changed[at : at + 4] = (int.from_bytes(content[at : at + 4], "big") + more).to_bytes(4, "big")
    return bytes(changed)


def _sndfile(samples: np.ndarray, form: str, subtype: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 48_000, format=form, subtype=subtype)
    return buffer.getvalue()


def _ffmpeg(samples: np.ndarray, container: str, codec: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None].copy(), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    return buffer.getvalue()


def _silence(form: str, subtype: str, seconds: float) -> bytes:
    buffer, block = io.BytesIO(), np.zeros(80_000, np.int16)
    with soundfile.SoundFile(buffer, "w", 8_000, 1, subtype, format=form) as file:
        for _ in range(int(seconds / 10)):
            file.write(block)
    return buffer.getvalue()


def _wav(sample_rate: int = 16_000, channels: int = 1, size: int | None = None) -> bytes:
    data = bytes(32_000)
    size = len(data) if size is None else size
    rate = min(sample_rate * channels * 2, 0xFFFFFFFF)
    form = struct.pack("<HHIIHH", 1, channels, sample_rate, rate, channels * 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", min(size + 36, 0xFFFFFFFF))
        + b"WAVEfmt "
        + struct.pack("<I", len(form))
        + form
        + b"data"
        + struct.pack("<I", size)
        + data
    )


def _flac_of_days() -> bytes:
    content = bytearray(originals()["flac"])
    content[21] |= 0x0F  # the number of samples is 36 bits: the last 4 of this byte and the next 4 bytes
    content[22:26] = b"\xff" * 4
    return bytes(content)
