"""Draws one recording: waveform, spectrogram, pitch, and the probability of each emotion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ser.audio.vad import Speech
from ser.audio.waveform import SAMPLE_RATE
from ser.core.prediction import Prediction
from ser.evaluation.plots import ACCENT, INK, LINE, OTHER, PERCENT, save_picture, styled
from ser.features.functionals import mel_hertz
from ser.features.low_level import PITCH_MAX_HZ, PITCH_MIN_HZ, find_pitch, mel_decibel, spectrogram

CHUNK_SECONDS = 30  # of audio per step; half an hour at once would need gigabytes
COLUMNS = 2000  # more than the plot has pixels
SHOWN_DB = 60  # below the loudest


@styled
def draw_clip(file: Path, samples: np.ndarray, speech: Speech, prediction: Prediction) -> None:
    """Draws a recording over time, as waveform, mel spectrogram and pitch, and the probability of each emotion.

    Args:
        file: PNG to write.
        samples: float32 (samples,) at 16 kHz.
        speech: where speech is in it; shaded in the waveform.
        prediction: of the same recording.

    Raises:
        OSError: the file cannot be written.
    """
    classes = len(prediction.probabilities)
    heights = [1.3, 2.2, 1.5, 0.4 + 0.22 * max(classes, 2)]
    picture = Figure(figsize=(9, 3.4 + sum(heights)), layout="constrained")
    picture.get_layout_engine().set(h_pad=0.09)
    wave, mel, pitch, bars = picture.subplots(4, gridspec_kw={"height_ratios": heights})
    picture.suptitle(_answer(prediction), x=0.01, ha="left", fontsize=14)
    parts = np.array_split(samples, -(-len(samples) // (CHUNK_SECONDS * SAMPLE_RATE)))
    _draw_wave(wave, samples, speech)
    image = _draw_mel(mel, parts, len(samples) / SAMPLE_RATE)
    picture.colorbar(image, ax=mel, label="level (dB below maximum)", pad=0.01)
    _draw_pitch(pitch, parts, speech)
    _draw_probabilities(bars, prediction)
    for axes in (wave, mel, pitch):
        axes.set(xlim=(0, len(samples) / SAMPLE_RATE), xlabel="time (s)")
    save_picture(picture, file)


def _answer(prediction: Prediction) -> str:
    """Title: the recording's name and the prediction."""
    name = prediction.file if len(prediction.file) <= 40 else f"{prediction.file[:39]}…"
    name = name.replace("$", r"\$")  # otherwise matplotlib parses a formula
    if prediction.state == "no_speech":
        return f"{name}: no speech"
    if prediction.state == "unsure":
        return f"{name}: unsure, {' or '.join(prediction.candidates)}"
    return f"{name}: {prediction.emotion}, {prediction.confidence:.0f} % confidence"


def _draw_wave(axes: Any, samples: np.ndarray, speech: Speech) -> None:
    for start, end in speech.segments():
        axes.axvspan(start, end, color=ACCENT, alpha=0.15, linewidth=0)
    groups = np.array_split(samples, min(len(samples), COLUMNS))
    low, high = ([extreme(group) for group in groups] for extreme in (np.min, np.max))
    seconds = np.linspace(0, len(samples) / SAMPLE_RATE, len(groups))
    axes.fill_between(seconds, low, high, color=INK, linewidth=0.4)
    peak = max(float(np.abs(samples).max()), 1e-3)
    title = (
        f"Waveform, {speech.seconds:.1f} s of speech shaded" if speech.active.any() else "Waveform, no speech detected"
    )
    axes.set_title(title, loc="left")
    axes.set(ylabel="amplitude (full scale 1)", ylim=(-1.05 * peak, 1.05 * peak))


def _draw_mel(axes: Any, parts: Sequence[np.ndarray], seconds: float) -> Any:
    decibel = np.concatenate([mel_decibel(spectrogram(part)) for part in parts], axis=1)  # (mels, frames)
    step = -(-decibel.shape[1] // COLUMNS)
    decibel = np.maximum.reduceat(decibel, np.arange(0, decibel.shape[1], step), axis=1)
    hertz = np.array([0, 500, 1000, 2000, 4000, 8000])
    rows = np.interp(hertz, mel_hertz(), np.arange(len(decibel)))
    image = axes.imshow(
        decibel - decibel.max(), origin="lower", aspect="auto", cmap="magma", vmin=-SHOWN_DB, vmax=0,
        extent=(0, seconds, -0.5, len(decibel) - 0.5),
    )  # fmt: skip
    axes.set_title("Mel spectrogram", loc="left")
    axes.set(ylabel="frequency (Hz)", yticks=rows, yticklabels=[f"{f:g}" for f in hertz])
    return image


def _draw_pitch(axes: Any, parts: Sequence[np.ndarray], speech: Speech) -> None:
    curves = [find_pitch(part) for part in parts]
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])]) / SAMPLE_RATE
    seconds = np.concatenate([curve.seconds + start for curve, start in zip(curves, starts, strict=True)])
    hertz = np.concatenate([curve.hertz for curve in curves])
    inside = np.zeros(len(seconds), bool)
    for start, end in speech.segments():
        axes.axvspan(start, end, color=ACCENT, alpha=0.1, linewidth=0)
        inside |= (seconds >= start) & (seconds <= end)
    hertz = np.where(inside, hertz, np.nan)  # hum outside of speech may have a pitch
    axes.plot(seconds, hertz, color=ACCENT, marker=".", markersize=4, linewidth=1.2)
    voiced = hertz[~np.isnan(hertz)]
    title = f"Pitch, mean {voiced.mean():.0f} Hz" if len(voiced) else "Pitch: no voiced speech detected"
    axes.set_title(title, loc="left")
    axes.set(ylabel="pitch (Hz)", ylim=(PITCH_MIN_HZ, PITCH_MAX_HZ), yscale="log")
    axes.set_yticks([50, 100, 200, 400], ["50", "100", "200", "400"])
    axes.minorticks_off()
    axes.grid(True, axis="y", linewidth=0.6)


def _draw_probabilities(axes: Any, prediction: Prediction) -> None:
    found = prediction.probabilities
    axes.set_title(f"Probability of each emotion (model {prediction.model})", loc="left")
    axes.set(xlabel="probability", xlim=(0, 1))
    axes.xaxis.set_major_formatter(PERCENT)
    if not found:
        axes.set(yticks=[])
        axes.text(
            0.5,
            0.5,
            "No speech detected, so no emotion is predicted.",
            ha="center",
            va="center",
            transform=axes.transAxes,
        )
        return
    named = prediction.candidates or [prediction.emotion]
    colors = [(OTHER if prediction.state == "unsure" else ACCENT) if label in named else LINE for label in found]
    bars = axes.barh(list(found), list(found.values()), color=colors, height=0.7)
    axes.bar_label(bars, [f"{100 * share:.1f} %" for share in found.values()], padding=4, color=INK)
    axes.set_xlim(0, 1.08)  # room for the figure beside a full bar
    axes.set_xticks(np.arange(0, 1.01, 0.2))
    axes.invert_yaxis()
