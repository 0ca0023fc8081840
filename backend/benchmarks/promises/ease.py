"""Measures E3 to E5: formats, the command line, and its start-up time."""

from __future__ import annotations

import io
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

from benchmarks.promises.lines import Line, by_tests
from benchmarks.speed.startup import FIRST_PREDICTION_SECONDS, HELP_SECONDS, time_command
from benchmarks.synthetic_speech import SAMPLE_RATE, speech_like, wav
from ser.audio.waveform import decode, resample
from ser.core.settings import PROJECT, load_settings
from ser.inference.predictor import Predictor, load_predictor

RATES = (8_000, 16_000, 44_100, 48_000, 96_000, 192_000)
LOSSLESS = [("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("FLAC", "PCM_24")]
LOSSLESS += [("AIFF", "PCM_16")]
LOSSY = [("WAV", "PCM_U8"), ("WAV", "ULAW"), ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS")]
SAMPLES = sorted((PROJECT / "frontend" / "public" / "samples").glob("*.wav"))
FFMPEG = [("mp4", "aac"), ("adts", "aac"), ("webm", "libopus")]


def formats(full: bool) -> list[Line]:
    """E3: speech in every format, at every rate, with 1 to 8 channels; lossy formats with several voices."""
    predictor = load_predictor("cnn1d", load_settings())
    rates = RATES if full else (8_000, 48_000)
    voices = {rate: _at(rate, speech_like(3.0)) for rate in rates}
    known = {rate: predictor.predict(_sndfile(voices[rate], rate, "WAV", "FLOAT")) for rate in rates}
    exact = [(rate, _sndfile(voices[rate], rate, *form)) for rate in rates for form in LOSSLESS]
    exact += [
        (rate, _sndfile(np.repeat(voices[rate][:, None], channels, 1), rate, "WAV", "FLOAT"))
        for rate in rates
        for channels in range(2, 9)
    ]
    worst = max(_difference(predictor, content, known[rate].probabilities) for rate, content in exact)
    same = [_alike(predictor, voice, rates) for voice in _voices(full)]
    alike, files = sum(map(sum, same)), sum(map(len, same))
    wanted = f"{files} lossy files of {len(same)} voices, {len(SAMPLES)} of them real: 95 % the same label"
    return [
        Line("E3", f"{len(exact)} lossless files within 1e-3 of WAV", f"largest difference {worst:.1e}", worst <= 1e-3),
        Line("E3", wanted, f"{100 * alike / files:.1f} %", alike >= 0.95 * files),
    ]


def _voices(full: bool) -> list[np.ndarray]:
    """The real samples that ship with the page, and generated ones: float32 (samples,) at ``SAMPLE_RATE``."""
    real = [resample(decode(path), SAMPLE_RATE).samples for path in SAMPLES]
    return real + [speech_like(3.0, seed) for seed in range(5 if full else 1)]


def _alike(predictor: Predictor, voice: np.ndarray, rates: Sequence[int]) -> list[bool]:
    """Whether each lossy encoding of a voice gets the label of the lossless one at that rate."""
    found = []
    for rate in rates:
        samples = _at(rate, voice)
        label = predictor.predict(_sndfile(samples, rate, "WAV", "FLOAT")).emotion
        files = [_sndfile(samples, rate, *form) for form in LOSSY if _fits(rate, *form)]
        files += [_ffmpeg(samples, rate, *form) for form in FFMPEG if _encodes(rate, form[1])]
        found += [predictor.predict(content).emotion == label for content in files]
    return found


def _fits(rate: int, form: str, subtype: str) -> bool:
    """Whether a format supports a sampling rate."""
    if subtype == "OPUS":
        return rate in (8_000, 16_000, 48_000)
    return subtype != "MPEG_LAYER_III" or rate <= 48_000


def _encodes(rate: int, codec: str) -> bool:
    """Whether FFmpeg's encoder supports a sampling rate."""
    return rate in (8_000, 16_000, 48_000) if codec == "libopus" else rate <= 96_000


def _at(rate: int, voice: np.ndarray) -> np.ndarray:
    samples = soxr.resample(voice, SAMPLE_RATE, rate)
    steps = np.round(
        0.9 * 32_768 * samples / np.abs(samples).max()
    )  # exact in 16 bits, and so in every lossless format
    return (steps / 32_768).astype(np.float32)


def _sndfile(samples: np.ndarray, rate: int, form: str, subtype: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return buffer.getvalue()


def _ffmpeg(samples: np.ndarray, rate: int, container: str, codec: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None].copy(), format="fltp", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    return buffer.getvalue()


def _difference(predictor: Predictor, content: bytes, known: dict[str, float]) -> float:
    found = predictor.predict(content).probabilities
    return max((abs(found.get(k, 1.0) - known.get(k, 0.0)) for k in known.keys() | found.keys()), default=0.0)


def command_line(full: bool) -> list[Line]:
    """E4: input and output of the command line, with exports read back by other libraries."""
    tests = [
        "tests/cli/test_commands.py",
        "tests/cli/test_predict.py",
        "tests/inference/test_export.py",
        "-m",
        "not corpus",
    ]
    return [by_tests("E4", "files, folders, stdin; every export read back; exit codes", tests, full)]


def start(full: bool) -> list[Line]:
    """E5: whole processes; in small sizes, beside other tests, the best of a few may take twice as long."""
    times, choose, share = (10, statistics.median, 1) if full else (5, min, 2)
    helped = choose(time_command(["--help"], times))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip.wav"
        file.write_bytes(wav(None))
        first = choose(time_command(["predict", str(file)], times))
    allowed = {"--help": (helped, share * HELP_SECONDS), "first prediction": (first, share * FIRST_PREDICTION_SECONDS)}
    return [
        Line("E5", f"{what} in {limit:g} s", f"{'median' if full else 'best'} {took:.2f} s", took <= limit)
        for what, (took, limit) in allowed.items()
    ]


MEASURES = {"E3": formats, "E4": command_line, "E5": start}
