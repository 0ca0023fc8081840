"""Defines the commands about recordings: ``predict``, ``features`` and ``plot``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ser.cli.console import print_voice
from ser.cli.options import EmotionsOption, Export, Format, ModelOption
from ser.cli.output import Printer
from ser.core.errors import ProfileError, SerError, SettingsError

if TYPE_CHECKING:
    import numpy as np

    from ser.core.prediction import Prediction
    from ser.core.resume_log import ResumeLog
    from ser.core.speaker_profile import Profile
    from ser.inference.predictor import Predictor
    from ser.inference.windowing import Grid


def predict(
    sources: Annotated[list[str], typer.Argument(help="Recordings, folders of recordings, or - for stdin.")],
    form: Annotated[Export, typer.Option("--format", help="Output format.")] = Export.text,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Output file; a folder for formats with one file per recording."),
    ] = None,
    model: ModelOption = None,
    window: Annotated[
        float | None,
        typer.Option(help="Length of the analysis windows in seconds; 3 by default, for recordings over 10 s."),
    ] = None,
    hop: Annotated[float | None, typer.Option(help="Seconds from one window to the next; 1 by default.")] = None,
    coverage: Annotated[
        int | None,
        typer.Option(help="Also give a set of emotions that contains the right one this often: 80, 90 or 95 percent."),
    ] = None,
    speaker: Annotated[str | None, typer.Option(help="Speaker profile to calibrate with, made by 'enroll'.")] = None,
    emotions: EmotionsOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an interrupted run with the same --out.")] = False,
) -> None:
    """Predicts the emotion of recordings.

    The format json is one object for one recording and a list for several, jsonl one object per line, csv one row per
    recording. The label formats (audacity, textgrid, webvtt, srt, rttm) are one file per recording.
    """
    from ser.core.labels import choose_emotions
    from ser.core.settings import load_settings
    from ser.inference.predictor import load_predictor
    from ser.inference.windowing import make_grid

    grid = make_grid(window, hop)
    settings = load_settings()
    files = list(recordings(sources))
    profile = None if speaker is None else _profile(speaker, settings.database_url)
    predictor = load_predictor(model or (profile.model if profile else settings.model), settings)
    chosen = choose_emotions(emotions, predictor.info.labels)
    failures = []
    with ExitStack() as held:
        run = {"model": predictor.info.name, "window": window, "hop": hop, "coverage": coverage, "speaker": speaker}
        run |= {"emotions": chosen}
        log = _resume_log(form, out, run, several=len(files) > 1, resume=resume)
        if log is not None:
            held.enter_context(log)
        printer = Printer(form, out, several=len(files) > 1, log=log)
        done = Counter(entry["file"] for entry in log.entries) if log else Counter()
        found = done.total()
        for name, source in files:
            if done[name]:
                done[name] -= 1  # a file may be given twice
                continue
            try:
                prediction = _predict(
                    predictor, source, name, grid=grid, coverage=coverage, profile=profile, emotions=chosen
                )
            except (SettingsError, ProfileError):
                raise  # the same for every file
            except SerError as error:
                failures.append(error)
                typer.echo(f"ser: {name}: {error}", err=True)
                continue
            printer.add(prediction)
            found += 1
        printer.close()
    if failures:
        raise typer.Exit(1 if found else failures[0].exit_code)


def _resume_log(
    form: Export, out: Path | None, run: dict[str, Any], *, several: bool, resume: bool
) -> ResumeLog | None:
    """Returns the resume log of a run that writes several predictions into one file; None for other runs."""
    from ser.core.resume_log import ResumeLog

    if out is not None and several and form in (Export.json, Export.jsonl, Export.csv):
        return ResumeLog(out, run, resume=resume)
    if resume:
        raise SettingsError("--resume needs several recordings, --out FILE, and --format json, jsonl or csv.")
    return None


def _profile(name: str, database_url: str) -> Profile:
    from ser.storage.database import LOCAL, opened
    from ser.storage.profiles import load_profile

    with opened(database_url) as store:
        return load_profile(name, store, LOCAL)


def recordings(sources: list[str]) -> Iterator[tuple[str, Path]]:
    """Yields (name, path) of every recording; folders are searched in order of names; - is stdin."""
    from ser.audio.waveform import SUFFIXES

    for source in sources:
        path = Path(source)
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        yield from ((str(p), p) for p in inside or [path])


def _predict(
    predictor: Predictor,
    path: Path,
    name: str,
    *,
    grid: Grid,
    coverage: int | None,
    profile: Profile | None,
    emotions: tuple[str, ...],
) -> Prediction:
    from ser.core.errors import AudioError

    if path.is_dir():
        raise AudioError("the folder contains no recording.", "audio_empty")
    source = sys.stdin.buffer.read() if name == "-" else path
    return predictor.predict(source, name, grid=grid, coverage=coverage, profile=profile, emotions=emotions)


def features(
    source: Annotated[str, typer.Argument(help="A recording, or - for stdin.")],
    form: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.text,
    everything: Annotated[
        bool, typer.Option("--all", help="Also print the statistics that the recipe mlp is trained on.")
    ] = False,
) -> None:
    """Measures pitch, loudness, tempo and brightness of a voice.

    Each has a unit and an explanation. JSON always includes the statistics of --all.
    """
    from ser.audio.vad import find_speech
    from ser.features.voice_report import measure

    samples = _samples(source)
    voice = measure(samples, find_speech(samples), everything=everything or form is not Format.text)
    if form is Format.text:
        print_voice(source, voice)
    else:
        import json

        shape = {"file": source, **voice.to_dict()}
        typer.echo(json.dumps(shape, indent=2 if form is Format.json else None, ensure_ascii=False))


def plot(
    source: Annotated[str, typer.Argument(help="A recording, or - for stdin.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG file to write.", dir_okay=False)],
    model: ModelOption = None,
) -> None:
    """Plots waveform, speech, spectrogram, pitch and probabilities."""
    from ser.core.settings import load_settings
    from ser.evaluation.recording_plot import draw_clip
    from ser.inference.predictor import load_predictor

    settings = load_settings()
    predictor = load_predictor(model or settings.model, settings)
    content = sys.stdin.buffer.read() if source == "-" else Path(source)
    analysis = predictor.analyse(content, Path(source).name, explain=False)
    try:
        draw_clip(out, analysis.samples, analysis.speech, analysis.prediction)
    except OSError as error:
        raise SettingsError(
            f"{out} cannot be written: {error.strerror or error}. Choose a writable folder with --out."
        ) from error
    typer.echo(f"plot: {out}", err=True)


def _samples(source: str) -> np.ndarray:
    """Returns the samples of a recording at 16 kHz."""
    from ser.audio.waveform import SAMPLE_RATE, decode, resample
    from ser.core.settings import load_settings

    waveform = decode(sys.stdin.buffer.read() if source == "-" else Path(source), load_settings().max_audio_seconds)
    return resample(waveform, SAMPLE_RATE).samples
