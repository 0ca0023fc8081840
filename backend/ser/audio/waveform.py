"""Reads audio bytes into a mono waveform: float32 samples at the recording's own sampling rate.

The container is recognised by its first bytes, never by the file name, and the decoder is told which one it is, because
FFmpeg would otherwise follow playlists. libsndfile (soundfile) reads wav, flac, mp3 and aiff; FFmpeg's libraries (PyAV)
read ogg, mp4/m4a, webm and aac. Decoding happens in blocks, so that a file with a false length or a decompression bomb
is refused before it fills the memory.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ser.core.errors import AudioError

SAMPLE_RATE = 16_000  # Hz; input of the voice activity detector and of every recipe
MIN_SECONDS = 0.1  # less has fewer than the 9 frames that the delta filter needs
MAX_SECONDS = 1800.0
MIN_SAMPLE_RATE = 8_000  # Hz
MAX_SAMPLE_RATE = 192_000  # Hz
MAX_CHANNELS = 8
MAX_MAGNITUDE = 1e6  # full scale is 1; beyond this the arithmetic would overflow
BLOCK_SECONDS = 10

FORMATS = ("wav", "flac", "mp3", "ogg", "opus", "m4a", "aac", "webm", "mp4", "aiff")
SUFFIXES = tuple(f".{name}" for name in (*FORMATS, "aif", "oga", "wave", "mka"))

# libsndfile refuses some short Opus files, so FFmpeg reads ogg
_FFMPEG_FORMATS = {"mp4": "mp4", "webm": "matroska", "aac": "aac", "ogg": "ogg"}
_FFMPEG_OPTIONS = {"protocol_whitelist": "none"}  # a file may refer to others; none is opened


@dataclass(frozen=True)
class Waveform:
    """A mono recording.

    Attributes:
        samples: float32 (samples,), full scale is 1.
        sample_rate: Hz.
    """

    samples: np.ndarray
    sample_rate: int

    @property
    def seconds(self) -> float:
        """Length in s."""
        return len(self.samples) / self.sample_rate


def decode(source: bytes | Path, max_seconds: float = MAX_SECONDS) -> Waveform:
    """Reads a recording, mixed down to mono (mean of the channels) at its own sampling rate.

    Args:
        source: the file's content, or its path.
        max_seconds: longest recording that is accepted, in s.

    Raises:
        AudioError: the file is empty, of an unsupported format, damaged, not finite or far beyond full scale, shorter
            than ``MIN_SECONDS``, longer than ``max_seconds``, or its sampling rate or number of channels is not
            supported.
    """
    content = source if isinstance(source, bytes) else _read(source)
    container = _sniff(content)
    blocks = _ffmpeg_blocks if container in _FFMPEG_FORMATS else _sndfile_blocks
    waveform = _collect(blocks(content, container, max_seconds), container, max_seconds)
    if waveform.seconds < MIN_SECONDS:
        raise AudioError(
            f"The recording is {waveform.seconds:.2f} s long; at least {MIN_SECONDS} s is needed. Record a few words.",
            "audio_too_short",
        )
    if not np.abs(waveform.samples).max() < MAX_MAGNITUDE:  # also true for NaN
        raise AudioError(
            "The recording contains samples that are not finite or far beyond full scale. Export it as 16-bit WAV.",
            "audio_not_finite",
        )
    return waveform


def resample(waveform: Waveform, sample_rate: int) -> Waveform:
    """Returns the recording at ``sample_rate`` Hz (soxr, high quality)."""
    if waveform.sample_rate == sample_rate:
        return waveform
    samples = soxr.resample(waveform.samples, waveform.sample_rate, sample_rate)
    return Waveform(samples.astype(np.float32, copy=False), sample_rate)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AudioError(f"{path} cannot be read: {error.strerror or error}.") from error


def _sniff(content: bytes) -> str:
    """Returns the container by its first bytes."""
    if not content:
        raise AudioError("The file is empty (0 bytes). Choose another file or record again.", "audio_empty")
    head = content[:16]
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    for magic, container in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"ID3", "mp3"), (b"\x1a\x45\xdf\xa3", "webm")):
        if head.startswith(magic):
            return container
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[0] == 0xFF and len(head) > 1 and head[1] & 0xE0 == 0xE0:
        return "mp3" if head[1] & 0x06 else "aac"  # the layer bits are 0 in AAC's ADTS header
    raise AudioError(
        f"Unsupported audio format. Expected one of {', '.join(FORMATS)}; a file is recognised by its content, not by "
        "its name.",
        "audio_unsupported",
    )


Block = tuple[np.ndarray, int]  # float32 (samples,), Hz


def _sndfile_blocks(content: bytes, container: str, max_seconds: float) -> Iterator[Block]:
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            _check_layout(file.samplerate, file.channels)
            if container != "mp3":  # the length of an mp3 is an estimate until it is decoded
                _check_length(file.frames / file.samplerate, max_seconds)
            while len(block := file.read(BLOCK_SECONDS * file.samplerate, dtype="float32", always_2d=True)):
                yield _mix_down(block.T), file.samplerate
    except (soundfile.SoundFileError, RuntimeError, ValueError, OverflowError) as error:
        raise _damaged(container) from error


def _ffmpeg_blocks(content: bytes, container: str, max_seconds: float) -> Iterator[Block]:
    import av  # takes 50 ms, and most recordings do not need it

    def opened() -> av.container.InputContainer:
        return av.open(io.BytesIO(content), format=_FFMPEG_FORMATS[container], options=_FFMPEG_OPTIONS)

    try:
        with opened() as file:
            if not file.streams.audio:
                raise AudioError("The file contains no audio, only images or data.", "audio_unsupported")
            stream = file.streams.audio[0]
            if stream.codec_context is None or not stream.codec_context.sample_rate:
                raise _damaged(container)
            _check_layout(stream.codec_context.sample_rate, stream.codec_context.channels)
            for packet in file.demux(stream):  # the claimed length: cheap, and refuses most bombs
                if packet.pts is not None and packet.time_base:
                    _check_length(float(packet.pts * packet.time_base), max_seconds)
        with opened() as file:
            stream = file.streams.audio[0]
            planar = av.AudioResampler(format="fltp")
            for frame in file.decode(stream):
                for part in planar.resample(frame):
                    yield _mix_down(part.to_ndarray()), part.sample_rate
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _damaged(container) from error


def _mix_down(channels: np.ndarray) -> np.ndarray:
    """Averages (channels, samples); the values of a damaged file may overflow, which ``decode`` refuses later."""
    with np.errstate(over="ignore", invalid="ignore"):
        return channels.mean(axis=0)


def _collect(blocks: Iterator[Block], container: str, max_seconds: float) -> Waveform:
    parts, sample_rate, seconds = [], 0, 0.0
    for samples, rate in blocks:
        if sample_rate and rate != sample_rate:
            raise AudioError("The sampling rate changes within the recording; convert it to WAV first.")
        sample_rate = rate
        seconds += len(samples) / rate
        _check_length(seconds, max_seconds)
        parts.append(samples)
    if not parts:
        raise AudioError(
            f"The {container} file contains no samples. Choose another file or record again.", "audio_empty"
        )
    return Waveform(np.concatenate(parts).astype(np.float32, copy=False), sample_rate)


def _check_layout(sample_rate: int, channels: int) -> None:
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise AudioError(
            f"The sampling rate is {sample_rate} Hz; expected {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz.",
            "audio_sample_rate",
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"The recording has {channels} channels; expected 1 to {MAX_CHANNELS}.", "audio_unsupported")


def _check_length(seconds: float, max_seconds: float) -> None:
    if seconds > max_seconds:
        raise AudioError(
            f"The recording is longer than {max_seconds / 60:g} min; split it into parts.", "audio_too_long"
        )


def _damaged(container: str) -> AudioError:
    return AudioError(f"The {container} file is damaged or incomplete and cannot be decoded. Export it again.")
