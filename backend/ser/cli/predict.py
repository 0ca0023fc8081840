"""Commands about recordings: what emotion, what voice, what it looks like."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ser.cli.console import print_voice
from ser.cli.options import Export, Format, ModelOption
from ser.cli.output import Printer
from ser.core.errors import ProfileError, SerError, SettingsError

if TYPE_CHECKING:
    import numpy as np

    from ser.core.prediction import Prediction
    from ser.core.resume_log import Journal
    from ser.core.speaker_profile import Profile
    from ser.inference.predictor import Predictor
    from ser.inference.windowing import Grid


def predict(
    sources: Annotated[list[str], typer.Argument(help="Recordings, folders of recordings, or - for stdin.")],
    form: Annotated[Export, typer.Option("--format", help="How to write the answers.")] = Export.text,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write into; a folder for several recordings and one file each."),
    ] = None,
    model: ModelOption = None,
    window: Annotated[
        float | None, typer.Option(help="Look at recordings in windows of so many seconds; 3 beyond 10 s of length.")
    ] = None,
    hop: Annotated[float | None, typer.Option(help="Seconds from one window to the next; 1 by default.")] = None,
    coverage: Annotated[
        int | None,
        typer.Option(help="Also name a set of emotions that holds the right one so often: 80, 90 or 95 percent."),
    ] = None,
    speaker: Annotated[
        str | None, typer.Option(help="Calibrate to the voice of this profile, which 'enroll' made.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run with the same --out was killed.")] = False,
) -> None:
    """Names the emotion of recordings.

    ``--format json`` prints one object for one recording and a list for several; ``jsonl`` one object a line, ``csv``
    one row. The label formats (audacity, textgrid, webvtt, srt, rttm) are one file for each recording.
    """
    from ser.core.settings import load_settings
    from ser.inference.predictor import load_predictor
    from ser.inference.windowing import make_grid

    grid = make_grid(window, hop)
    settings = load_settings()
    files = list(recordings(sources))
    profile = None if speaker is None else _profile(speaker, settings.database_url)
    predictor = load_predictor(model or (profile.model if profile else settings.model), settings)
    failures = []
    with ExitStack() as held:
        run = {"model": predictor.info.name, "window": window, "hop": hop, "coverage": coverage, "speaker": speaker}
        journal = _journal(form, out, run, several=len(files) > 1, resume=resume)
        if journal is not None:
            held.enter_context(journal)
        printer = Printer(form, out, several=len(files) > 1, journal=journal)
        done = Counter(entry["file"] for entry in journal.entries) if journal else Counter()
        found = done.total()
        for name, source in files:
            if done[name]:
                done[name] -= 1  # a file may be named twice
                continue
            try:
                prediction = _predict(predictor, source, name, grid=grid, coverage=coverage, profile=profile)
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


def _journal(form: Export, out: Path | None, run: dict[str, Any], *, several: bool, resume: bool) -> Journal | None:
    """Returns the journal of a run that writes several answers into one file; None where there is no such file."""
    from ser.core.resume_log import Journal

    if out is not None and several and form in (Export.json, Export.jsonl, Export.csv):
        return Journal(out, run, resume=resume)
    if resume:
        raise SettingsError("--resume goes with several recordings, --out FILE, and --format json, jsonl or csv.")
    return None


def _profile(name: str, database_url: str) -> Profile:
    from ser.storage.database import LOCAL, opened
    from ser.storage.profiles import load_profile

    with opened(database_url) as store:
        return load_profile(name, store, LOCAL)


def recordings(sources: list[str]) -> Iterator[tuple[str, Path]]:
    """Yields (name, path) of every recording; folders are searched, in order of names; - stands for stdin."""
    from ser.audio.waveform import SUFFIXES

    for source in sources:
        path = Path(source)
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        yield from ((str(p), p) for p in inside or [path])


def _predict(
    predictor: Predictor, path: Path, name: str, *, grid: Grid, coverage: int | None, profile: Profile | None
) -> Prediction:
    from ser.core.errors import AudioError

    if path.is_dir():
        raise AudioError("the folder holds no recording.", "audio_empty")
    return predictor.predict(
        sys.stdin.buffer.read() if name == "-" else path, name, grid=grid, coverage=coverage, profile=profile
    )


def features(
    source: Annotated[str, typer.Argument(help="A recording, or - for stdin.")],
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.text,
    everything: Annotated[bool, typer.Option("--all", help="Print the statistics that 'mlp' learns from too.")] = False,
) -> None:
    """Measures the voice in a recording: pitch, loudness, tempo, brightness, with unit and meaning.

    JSON always holds the statistics too.
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
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG to write.", dir_okay=False)],
    model: ModelOption = None,
) -> None:
    """Draws a recording: waveform and speech, mel spectrogram, pitch, and how likely each emotion is."""
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
            f"{out} cannot be written: {error.strerror or error}. Name a file in a folder you may write to with --out."
        ) from error
    typer.echo(f"written to {out}", err=True)


def _samples(source: str) -> np.ndarray:
    """Returns the samples of a recording at 16 kHz."""
    from ser.audio.waveform import SAMPLE_RATE, decode, resample
    from ser.core.settings import load_settings

    waveform = decode(sys.stdin.buffer.read() if source == "-" else Path(source), load_settings().max_audio_seconds)
    return resample(waveform, SAMPLE_RATE).samples
