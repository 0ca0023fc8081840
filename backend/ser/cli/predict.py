"""Defines the commands about recordings: ``predict``, ``features`` and ``plot``."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ser.cli.console import print_voice
from ser.cli.options import Adapt, EmotionsOption, Export, Format, ModelOption
from ser.cli.output import Printer
from ser.cli.recordings import encode_group, names_of_speakers, recordings
from ser.cli.sources import model_of
from ser.core.errors import SerError, SettingsError

if TYPE_CHECKING:
    import numpy as np

    from ser.core.resume_log import ResumeLog
    from ser.core.speaker_profile import Profile


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
    adapt: Annotated[
        Adapt,
        typer.Option(
            help="Adapt answers to the speaker of each recording of several windows, to one speaker of all recordings "
            "in a folder, or not at all."
        ),
    ] = Adapt.speaker,
    speakers: Annotated[
        Path | None,
        typer.Option(
            help="CSV with the columns path and speaker; answers adapt to all recordings of the same speaker in it."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an interrupted run with the same --out.")] = False,
) -> None:
    """Predicts the emotion of recordings.

    The format json is one object for one recording and a list for several, jsonl one object per line, csv one row per
    recording. The label formats (audacity, textgrid, webvtt, srt, rttm) are one file per recording.
    """
    from ser.core.identity import digest
    from ser.core.labels import choose_emotions
    from ser.core.settings import load_settings
    from ser.inference.adaptation import group_recordings
    from ser.inference.predictor import load_predictor
    from ser.inference.windowing import make_grid

    grid = make_grid(window, hop)
    _check_adapting(adapt, speakers, speaker)
    settings = load_settings()
    files = list(recordings(sources))
    names = [""] * len(files) if speakers is None else names_of_speakers(speakers, sources, files)
    profile = None if speaker is None else _profile(speaker, settings.database_url)
    predictor = load_predictor(model_of(model or (profile and profile.model), settings), settings)
    if not predictor.adapts and (speakers or adapt is Adapt.folder):
        raise SettingsError(f"{predictor.info.name} cannot adapt to speakers; choose another model, such as whisper.")
    chosen = choose_emotions(emotions, predictor.info.labels)
    predictor.check_coverage(coverage, chosen)
    enrolled = None if profile is None else predictor.speaker_of(profile)
    failures: list[SerError] = []
    with ExitStack() as held:
        run = {"model": predictor.info.name, "window": window, "hop": hop, "coverage": coverage, "speaker": speaker}
        run |= {"emotions": chosen, "adapt": adapt.value}
        run |= {"speakers": None if speakers is None else digest(speakers.read_bytes())}
        log = _resume_log(form, out, run, several=len(files) > 1, resume=resume)
        if log is not None:
            held.enter_context(log)
        printer = Printer(form, out, several=len(files) > 1, log=log)
        done = Counter(entry["file"] for entry in log.entries) if log else Counter()
        found = done.total()
        for group in group_recordings([None if name == "-" else path for name, path in files], adapt.value, names):
            own = [files[place] for place in group]
            for one, voice in encode_group(predictor, own, grid, done, failures, adapt=adapt is not Adapt.none):
                printer.add(predictor.answer(one, coverage=coverage, emotions=chosen, speaker=enrolled or voice))
                found += 1
        printer.close()
    if failures:
        raise typer.Exit(1 if found else failures[0].exit_code)


def _check_adapting(adapt: Adapt, speakers: Path | None, profile: str | None) -> None:
    """Checks that the options that say what to adapt to do not contradict each other."""
    if profile is not None and (speakers is not None or adapt is Adapt.folder):
        other = "--adapt folder" if speakers is None else "--speakers"
        raise SettingsError(f"--speaker adapts to the speaker of the profile {profile!r}; omit it, or {other}.")
    if speakers is not None and adapt is not Adapt.speaker:
        raise SettingsError(f"--speakers adapts to each speaker of the list; omit it, or --adapt {adapt.value}.")


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
    predictor = load_predictor(model_of(model, settings), settings)
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
