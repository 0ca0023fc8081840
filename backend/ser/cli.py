"""The command line. Every command imports what it needs itself, so that ``--help`` answers at once.

Results go to stdout, everything else to stderr. Exit codes: 0 all well, 1 some files failed, 2 usage, 3 bad input,
4 a problem with a model or a download.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ser import __version__
from ser.errors import SerError, SettingsError
from ser.terminal import (
    evaluation_progress,
    print_confusion,
    print_model,
    print_scores,
    print_voice,
    progress,
    training_progress,
)

if TYPE_CHECKING:
    import numpy as np

    from ser.corpus import Corpus
    from ser.dataset import Data
    from ser.prediction import Prediction
    from ser.predictor import Predictor
    from ser.recipe import Recipe

app = typer.Typer(
    help="Names the emotion in a voice, says how sure it is, and admits when it cannot tell.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Format(StrEnum):
    """How predictions are written."""

    text = "text"
    json = "json"
    jsonl = "jsonl"


ModelOption = Annotated[str | None, typer.Option("--model", help="Name of a shipped model, or path of a checkpoint.")]
RecipeOption = Annotated[str, typer.Option(help="Which published system.")]
CorpusOption = Annotated[
    list[str] | None, typer.Option(help="Which corpus, repeatable; the recipe's own where omitted.")
]
RootOption = Annotated[Path | None, typer.Option(help="Folder of the corpus; found or downloaded where omitted.")]
VotesOption = Annotated[bool, typer.Option("--votes", help="Learn the listeners' votes where a clip has them.")]
MirrorOption = Annotated[str | None, typer.Option(help="Other address to download the corpus from.")]
LabelsOption = Annotated[
    str | None,
    typer.Option(
        help="Label set: 'recipe' (the default), 'corpus' (all that occur), 'shared' (what all corpora have, calm "
        "counted as neutral; the default of cross), or names separated by commas. With --files it is the CSV that says "
        "which emotion is in which recording."
    ),
]
ClipOption = Annotated[
    float | None, typer.Option("--clip-seconds", help="Cut clips to so many seconds; 0 keeps them whole.", min=0)
]
FilesOption = Annotated[
    Path | None,
    typer.Option(
        "--files",
        help="Folder of own recordings; --labels is then the CSV that lists them: path, emotion and, "
        "if you know it, speaker.",
    ),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder to write into.")]


def main() -> None:
    """Runs the command line; an expected error is one sentence on stderr and its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # a file's name may hold anything
    try:
        app(prog_name="ser")
    except SerError as error:
        typer.echo(f"ser: {error}", err=True)
        sys.exit(error.exit_code)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def predict(
    sources: Annotated[list[str], typer.Argument(help="Recordings, folders of recordings, or - for stdin.")],
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.text,
    model: ModelOption = None,
) -> None:
    """Names the emotion of recordings.

    ``--format json`` prints one object for one recording and a list for several; ``jsonl`` one object a line.
    """
    from ser.predictor import load_predictor
    from ser.settings import load_settings

    settings = load_settings()
    files = list(_recordings(sources))
    predictor = load_predictor(model or settings.model, settings)
    failures, found = [], []
    for name, source in files:
        try:
            prediction = _predict(predictor, source, name)
        except SerError as error:
            failures.append(error)
            typer.echo(f"ser: {name}: {error}", err=True)
            continue
        found.append(prediction)
        if form is not Format.json:
            typer.echo(prediction.to_json() if form is Format.jsonl else prediction.to_text())
    if form is Format.json:
        _print_json(found, single=len(files) == 1)
    if failures:
        raise typer.Exit(1 if found else failures[0].exit_code)


def _recordings(sources: list[str]) -> Iterator[tuple[str, Path]]:
    """Yields (name, path) of every recording; folders are searched, in order of names; - stands for stdin."""
    from ser.audio import SUFFIXES

    for source in sources:
        path = Path(source)
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        yield from ((str(p), p) for p in inside or [path])


def _predict(predictor: Predictor, path: Path, name: str) -> Prediction:
    from ser.errors import AudioError

    if path.is_dir():
        raise AudioError("the folder holds no recording.", "audio_empty")
    return predictor.predict(sys.stdin.buffer.read() if name == "-" else path, name)


def _print_json(predictions: list, *, single: bool) -> None:
    import json

    if single and not predictions:
        return
    shape = predictions[0].to_dict() if single else [prediction.to_dict() for prediction in predictions]
    typer.echo(json.dumps(shape, indent=2, ensure_ascii=False))


@app.command()
def features(
    source: Annotated[str, typer.Argument(help="A recording, or - for stdin.")],
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.text,
    everything: Annotated[bool, typer.Option("--all", help="Print the statistics that 'mlp' learns from too.")] = False,
) -> None:
    """Measures the voice in a recording: pitch, loudness, tempo, brightness, with unit and meaning.

    JSON always holds the statistics too.
    """
    from ser.speech import find_speech
    from ser.voice import measure

    samples = _samples(source)
    voice = measure(samples, find_speech(samples), everything=everything or form is not Format.text)
    if form is Format.text:
        print_voice(source, voice)
    else:
        import json

        shape = {"file": source, **voice.to_dict()}
        typer.echo(json.dumps(shape, indent=2 if form is Format.json else None, ensure_ascii=False))


@app.command()
def plot(
    source: Annotated[str, typer.Argument(help="A recording, or - for stdin.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG to write.", dir_okay=False)],
    model: ModelOption = None,
) -> None:
    """Draws a recording: waveform and speech, mel spectrogram, pitch, and how likely each emotion is."""
    from ser.audio import SAMPLE_RATE, Waveform
    from ser.figures import draw_clip
    from ser.predictor import load_predictor
    from ser.settings import load_settings
    from ser.speech import find_speech

    samples = _samples(source)
    settings = load_settings()
    predictor = load_predictor(model or settings.model, settings)
    prediction = predictor.predict(Waveform(samples, SAMPLE_RATE), Path(source).name)
    try:
        draw_clip(out, samples, find_speech(samples), prediction)
    except OSError as error:
        raise SettingsError(
            f"{out} cannot be written: {error.strerror or error}. Name a file in a folder you may write to with --out."
        ) from error
    typer.echo(f"written to {out}", err=True)


def _samples(source: str) -> np.ndarray:
    """Returns the samples of a recording at 16 kHz."""
    from ser.audio import SAMPLE_RATE, decode, resample
    from ser.settings import load_settings

    waveform = decode(sys.stdin.buffer.read() if source == "-" else Path(source), load_settings().max_audio_seconds)
    return resample(waveform, SAMPLE_RATE).samples


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port; the first free one from 5000 on where omitted.")] = None,
    browser: Annotated[bool, typer.Option("--open/--no-browser", help="Open the page in a browser.")] = False,
    model: ModelOption = None,
) -> None:
    """Serves the page and the API with a production server."""
    from dataclasses import replace

    from ser.api.server import run
    from ser.settings import load_settings

    settings = load_settings()
    run(replace(settings, model=model or settings.model), host=host, port=port, open_browser=browser)


@app.command()
def train(
    recipe: RecipeOption = "cnn1d",
    corpus: CorpusOption = None,
    files: FilesOption = None,
    root: RootOption = None,
    mirror: MirrorOption = None,
    labels: LabelsOption = None,
    clip_seconds: ClipOption = None,
    votes: VotesOption = False,
    seed: Annotated[int, typer.Option(help="Of weights, order, dropout.")] = 0,
    epochs: Annotated[int | None, typer.Option(help="Length of the schedule in epochs.", min=1)] = None,
    out: OutOption = None,
    shipped: Annotated[
        list[Path] | None,
        typer.Option(
            "--evaluation",
            help="Train on every clip for the median best epoch of this evaluation and take over its figures; "
            "give the headline's folder first, further ones after it.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="With --evaluation: a speaker to leave out, as corpus/speaker, such as crema-d/1013."),
    ] = None,
) -> None:
    """Trains a recipe and writes a checkpoint; killed and started again it goes on where it was.

    A fifth of the speakers is kept for the figure, a fifth of the rest for choosing the epoch. With --files it learns
    from your own recordings, alone or beside corpora.
    """
    from dataclasses import replace

    from ser.experiment import train_held_out, train_on_everything
    from ser.recipe import get_recipe
    from ser.settings import load_settings

    settings = load_settings()
    system = get_recipe(recipe)
    if epochs is not None:
        system = replace(system, training=replace(system.training, epochs=epochs))
    seconds = _clip_seconds(system, clip_seconds)
    data = _load(system, corpus, root, mirror, labels, seconds, files)
    folder = out or settings.runs / f"{recipe}-{data.name}-seed{seed}"
    if shipped:
        with training_progress(system.training.epochs) as on_epoch:
            train_on_everything(
                system,
                data,
                folder,
                shipped,
                clip_seconds=seconds,
                seed=seed,
                commit=_commit(),
                votes=votes,
                without=without or (),
                on_epoch=on_epoch,
            )
    else:
        with training_progress(system.training.epochs) as on_epoch:
            metrics = train_held_out(
                system, data, folder, clip_seconds=seconds, seed=seed, votes=votes, on_epoch=on_epoch
            )
        print_scores(metrics, metrics["figure"]["ua"], metrics["figure"]["wa"])
    typer.echo(f"checkpoint: {folder}", err=True)


@app.command()
def evaluate(
    context: typer.Context,
    recipe: RecipeOption = "cnn1d",
    corpus: CorpusOption = None,
    protocol: Annotated[str, typer.Option(help="emobox, luna, statement, loso, groups, cross or random.")] = "emobox",
    seeds: Annotated[int, typer.Option(help="How many seeds.", min=1)] = 1,
    labels: LabelsOption = None,
    clip_seconds: ClipOption = None,
    votes: VotesOption = False,
    folds: Annotated[str | None, typer.Option(help="Only these folds, separated by commas; for a first look.")] = None,
    root: RootOption = None,
    mirror: MirrorOption = None,
    out: OutOption = None,
    looked: Annotated[
        bool, typer.Option("--i-have-looked", help="A person looked at a UA above 90 % on unseen speakers.")
    ] = False,
    files: Annotated[
        Path | None,
        typer.Option(help="Score a finished model on the recordings of this folder; --labels then names their CSV."),
    ] = None,
    model: ModelOption = None,
) -> None:
    """Measures a recipe by a protocol, or a finished model on your own recordings, and writes a report.

    A recipe is trained and tested on speakers it never heard:
    evaluate --recipe cnn1d --protocol emobox --seeds 3

    A finished model answers for a folder of recordings and a CSV with the columns path,emotion[,speaker]:
    evaluate --files FOLDER --labels labels.csv --model cnn1d
    """
    if files is not None:
        _refuse(context, ("files", "labels", "model", "out"), "has no meaning with --files")
        _score(files, labels, model, out)
        return
    _refuse(context, [name for name in context.params if name != "model"], "goes with --files FOLDER only")
    from ser.evaluation import Plan
    from ser.evaluation import evaluate as run
    from ser.recipe import get_recipe
    from ser.report import write_report
    from ser.settings import load_settings

    settings = load_settings()
    system = get_recipe(recipe)
    seconds = _clip_seconds(system, clip_seconds)
    wanted = labels or ("shared" if protocol == "cross" else None)
    data = _load(system, corpus, root, mirror, wanted, seconds)
    length = "whole" if seconds is None else f"{seconds:g}s"
    folder = out or settings.runs / f"{recipe}-{data.name}-{protocol}-{len(data.labels)}classes-{length}"
    plan = Plan(
        recipe=system,
        protocol=protocol,
        clip_seconds=seconds,
        seeds=seeds,
        votes=votes,
        folds=tuple(folds.split(",")) if folds else None,
    )
    with evaluation_progress() as (on_fold, on_epoch):
        metrics = run(plan, data, folder, command=_command_line(), looked=looked, on_fold=on_fold, on_epoch=on_epoch)
    print_scores(metrics, 100 * metrics["ua"], 100 * metrics["wa"])
    print_confusion(metrics["confusion"], data.labels)
    typer.echo(f"report: {write_report(folder, metrics)}", err=True)


def _refuse(context: typer.Context, allowed: Iterable[str], why: str) -> None:
    """Raises SettingsError for an option that was given and would be passed over."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if parameter.name not in allowed and source is not None and source.name == "COMMANDLINE":
            raise SettingsError(f"{parameter.opts[0]} {why}.")


def _score(folder: Path, listing: str | None, model: str | None, out: Path | None) -> None:
    """Scores a finished model on people's own recordings."""
    from ser.listing import read_listing
    from ser.predictor import load_predictor
    from ser.report import write_report
    from ser.scoring import score_files, write_scores
    from ser.settings import load_settings
    from ser.terminal import print_classes

    if listing is None:
        raise SettingsError("--files needs --labels labels.csv, with the columns path,emotion and if known speaker.")
    settings = load_settings()
    utterances = read_listing(folder, Path(listing))
    predictor = load_predictor(model or settings.model, settings)
    with progress("scoring", "clips") as on_progress:
        scored = score_files(predictor, utterances, folder, on_progress=on_progress)
    for name, error in scored.failed:
        typer.echo(f"ser: {name}: {error}", err=True)
    target = out or settings.runs / f"{predictor.info.name}-on-{folder.resolve().name}"
    metrics = write_scores(target, scored, predictor, folder=folder, listing=Path(listing), command=_command_line())
    print_classes(metrics)
    print_confusion(metrics["confusion"], metrics["labels"], metrics["answers"])
    for emotion, clips in scored.unknown.items():
        typer.echo(f"not scored: {clips} x {emotion}, which {predictor.info.name} has no class for", err=True)
    typer.echo(f"report: {write_report(target, metrics)}", err=True)
    if scored.failed:
        raise typer.Exit(1)


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(help="Folders that 'evaluate' wrote, finished.")],
) -> None:
    """Makes figures, pictures and the HTML report of finished evaluations again, from their predictions alone."""
    from ser.report import write_report
    from ser.results import refresh

    for folder in folders:
        typer.echo(write_report(folder, refresh(folder)))


@app.command()
def compare(
    one: Annotated[Path, typer.Argument(metavar="A", help="Folder that 'evaluate' wrote.")],
    other: Annotated[Path, typer.Argument(metavar="B", help="Folder of another run on the same clips.")],
    out: OutOption = None,
) -> None:
    """Puts two evaluations side by side and says whether their difference is more than chance."""
    from ser.comparison import FIGURES, write_comparison
    from ser.comparison import compare as run
    from ser.settings import load_settings
    from ser.terminal import print_comparison

    found = run(one, other)
    folder = out or load_settings().runs / f"compare-{one.resolve().name}-{other.resolve().name}"
    print_comparison(found, FIGURES)
    typer.echo(f"report: {write_comparison(folder, found)}", err=True)


@app.command("corpus")
def explore(
    name: Annotated[str, typer.Argument(help="Name of the corpus.")],
    root: RootOption = None,
    mirror: MirrorOption = None,
    out: OutOption = None,
) -> None:
    """Shows what a corpus holds: emotions, speakers, lengths, and whether listeners hear what was meant."""
    from ser.corpus import get_corpus
    from ser.exploration import explore as run
    from ser.exploration import write_exploration
    from ser.settings import load_settings
    from ser.terminal import print_corpus

    settings = load_settings()
    found = get_corpus(name)
    utterances = found.scan(root or _fetched(found, settings.corpora, mirror))
    with progress("reading", "clips") as on_progress:
        counted = run(found, utterances, on_progress=on_progress)
    print_corpus(counted)
    for file in counted["unreadable"]:
        typer.echo(f"ser: {file} cannot be read", err=True)
    typer.echo(f"report: {write_exploration(out or settings.runs / f'corpus-{name}', counted)}", err=True)
    if counted["unreadable"]:
        raise typer.Exit(1)


@app.command()
def models() -> None:
    """Lists the models that ship, with their figure on speakers they never heard, and the recipes to train more."""
    from ser.checkpoint import list_models
    from ser.recipe import find_recipes
    from ser.settings import load_settings

    for info in list_models(load_settings().weights):
        print_model(info)
    typer.echo("\nrecipes, for 'train' and 'evaluate':")
    for recipe in find_recipes().values():
        typer.echo(f"  {recipe.name}: {recipe.summary} Its authors: {recipe.protocol}.")


@app.command()
def openapi() -> None:
    """Prints the OpenAPI document of the API."""
    import json

    from ser.api.openapi import openapi_document

    typer.echo(json.dumps(openapi_document(), indent=2, ensure_ascii=False))


def _clip_seconds(recipe: Recipe, given: float | None) -> float | None:
    """The recipe's own length where none is given; 0 means whole clips."""
    if given is None:
        return recipe.clip_seconds
    return given or None


def _load(
    recipe: Recipe,
    names: list[str] | None,
    root: Path | None,
    mirror: str | None,
    labels: str | None,
    clip_seconds: float | None,
    files: Path | None = None,
) -> Data:
    """Finds or downloads corpora and makes their frames, with a progress bar."""
    from ser.corpus import get_corpus
    from ser.dataset import load_data
    from ser.settings import load_settings

    settings = load_settings()
    default = list(recipe.corpora)[:1] if files is None else []
    corpora = [get_corpus(name) for name in names or default]
    if root is not None and len(corpora) > 1:
        raise SettingsError(
            "--root names the folder of one corpus; with several, put them into one and set SER_CORPORA."
        )
    sources = [(corpus, root or _fetched(corpus, settings.corpora, mirror)) for corpus in corpora]
    wanted = _label_set(corpora, labels) if files is None else None
    if files is not None:
        sources.append((_listed(labels), files))
    with progress("reading", "clips") as on_progress:
        return load_data(
            recipe,
            sources,
            labels=wanted,
            clip_seconds=clip_seconds,
            cache=settings.cache,
            on_progress=on_progress,
        )


def _listed(labels: str | None) -> Corpus:
    from ser.listing import listed_corpus

    if labels is None:
        raise SettingsError("--files needs --labels labels.csv, with the columns path, emotion and, if known, speaker.")
    return listed_corpus(Path(labels))


def _fetched(corpus: Corpus, corpora: Path, mirror: str | None) -> Path:
    from ser.corpus import corpus_root, fetch

    folder = corpus_root(corpus, corpora)
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    with progress(f"downloading {corpus.title}", "bytes") as on_progress:
        return fetch(corpus, corpora, mirror=mirror, on_progress=on_progress)


def _label_set(corpora: list[Corpus], text: str | None) -> tuple[str, ...] | None:
    """Reads ``--labels``; None stands for the recipe's own set."""
    from ser.labels import EMOTIONS, canonical_order, relabel

    if text in (None, "recipe"):
        return None
    if text.lower().endswith(".csv"):
        raise SettingsError(f"--labels {text!r}: a CSV of labels goes with --files FOLDER.")
    if text == "corpus":
        return canonical_order(tuple({label for corpus in corpora for label in corpus.labels.values()}))
    if text == "shared":
        wide = tuple(emotion for emotion in EMOTIONS if emotion != "calm")
        sets = [{relabel(emotion, wide) for emotion in corpus.labels.values()} for corpus in corpora]
        return canonical_order(tuple(set.intersection(*sets)))
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in EMOTIONS]
    if unknown or len(set(names)) < 2:
        raise SettingsError(
            f"--labels {text!r}: expected 'recipe', 'corpus', 'shared' or two or more of {', '.join(EMOTIONS)}."
        )
    return names


def _command_line() -> str:
    return " ".join(["python3 -m backend", *sys.argv[1:]])


def _commit() -> str:
    import subprocess

    from ser.settings import PROJECT

    try:
        asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return asked.stdout.strip()
