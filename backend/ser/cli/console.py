"""Shows progress on stderr, and prints metrics as tables on stdout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ser.evaluation.metrics_file import Metrics
    from ser.evaluation.reproduction import Comparison


@contextmanager
def progress(what: str, unit: str) -> Iterator[Any]:
    """Yields ``on_progress(done, total)``; draws a bar on stderr if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def training_progress(epochs: int) -> Iterator[Any]:
    """Yields ``on_epoch(epoch)``: a progress line with the time left on a terminal, one line per epoch elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("epoch", total=epochs, note="")

        def on_epoch(epoch: Any) -> None:
            ua = "" if epoch.validation_ua is None else f", validation UA {100 * epoch.validation_ua:.1f} %"
            note = f"loss {epoch.loss:.3f}{ua}"
            bar.update(task, completed=epoch.number, note=note)
            if not console.is_terminal:
                typer.echo(f"epoch {epoch.number}/{epochs} {note} ({epoch.seconds:.1f} s)", err=True)

        yield on_epoch


@contextmanager
def evaluation_progress(console: Console | None = None) -> Iterator[tuple[Any, Any]]:
    """Yields ``on_fold(fold)`` and ``on_epoch(epoch)``: a live table on a terminal, one line per fold elsewhere."""
    from rich.console import Console
    from rich.live import Live

    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _print_fold, lambda epoch: None
        return
    folds: list[Any] = []
    with Live(_fold_table([], "starting"), console=console, transient=True) as live:

        def on_fold(fold: Any) -> None:
            folds.append(fold)
            live.update(_fold_table(folds[-max(1, console.height - 8) :], _outlook(folds)), refresh=True)

        def on_epoch(epoch: Any) -> None:
            ua = "" if epoch.validation_ua is None else f", validation UA {100 * epoch.validation_ua:.1f} %"
            note = f"fold {len(folds) + 1}: epoch {epoch.number}{ua}\n{_outlook(folds)}"
            live.update(_fold_table(folds[-max(1, console.height - 9) :], note), refresh=True)

        yield on_fold, on_epoch
    console.print(_fold_table(folds, _outlook(folds)))


def _fold_table(folds: Sequence[Any], note: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, caption=note, caption_justify="left")
    for name in ("seed", "fold", "best epoch", "UA", "clips", "time"):
        table.add_column(name, justify="right")
    for fold in folds:
        took = "resumed" if fold.seconds is None else _clock(fold.seconds)
        ua = f"{100 * fold.ua:.1f} %"
        table.add_row(str(fold.seed), fold.name, str(fold.best_epoch), ua, str(fold.clips), took)
    return table


def _outlook(folds: Sequence[Any]) -> str:
    """Returns the running mean and the time left, estimated from the folds of this run."""
    if not folds:
        return ""
    mean = sum(fold.ua for fold in folds) / len(folds)
    known = f"{len(folds)} of {folds[0].total} folds, mean UA {100 * mean:.1f} %"
    took = [fold.seconds for fold in folds if fold.seconds is not None]
    left = folds[0].total - len(folds)
    return known + (f", about {_clock(left * sum(took) / len(took))} left" if took and left else "")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _print_fold(fold: Any) -> None:
    took = "" if fold.seconds is None else f", {_clock(fold.seconds)}"
    typer.echo(
        f"seed {fold.seed} fold {fold.name}: UA {100 * fold.ua:.1f} % on {fold.clips} clips "
        f"(epoch {fold.best_epoch}{took})",
        err=True,
    )


def print_scores(metrics: Metrics) -> None:
    """Prints UA, WA, F1 and the recall of each class on stdout, in percent; the UAs with fewer classes after them."""
    typer.echo(f"UA {100 * metrics.ua:.1f} %   WA {100 * metrics.wa:.1f} %   macro F1 {100 * metrics.f1:.1f} %")
    if metrics.ua_masked is not None:
        typer.echo(f"UA, emotions of the corpus only: {100 * metrics.ua_masked:.1f} %")
    if metrics.ua_shared is not None:
        typer.echo(f"UA, emotions that all corpora share: {100 * metrics.ua_shared:.1f} %")
    for label, recall in metrics.recalls.items():
        typer.echo(f"  recall {label:10s} {100 * recall:5.1f} %")


def print_comparison(found: dict, figures: Sequence[tuple[str, str]]) -> None:
    """Prints two evaluations side by side, in percent, and whether the difference is significant."""
    typer.echo(f"A: {found['a']['name']}, {found['a']['protocol']}\nB: {found['b']['name']}, {found['b']['protocol']}")
    for own in (own for own in "ab" if found[own]["leaky"]):
        typer.echo(f"{own.upper()} IS LEAKY: its test speakers are also in the training data")
    rows = [(title, found["figures"][name]) for name, title in figures if name in found["figures"]]
    rows += [(f"recall {label}", pair) for label, pair in found["recalls"].items()]
    width = max(len(title) for title, _ in rows)
    typer.echo(f"{'':{width}s}        A       B   B - A")
    for title, pair in rows:
        typer.echo(f"{title:{width}s} {_shares(pair['a'], pair['b'])} {100 * pair['difference']:+7.1f}")
    typer.echo(found["verdict"])


def _shares(*shares: float) -> str:
    return " ".join(f"{100 * share:5.1f} %" for share in shares)


def print_reproduction(rows: Sequence[Comparison], same_weights: bool | None) -> None:
    """Prints the UA of every figure beside the shipped one, other measures where they differ, and a verdict.

    Args:
        rows: every measure of every figure.
        same_weights: whether the weights are the same bytes as those that ship; None where they were not made.
    """
    shown = [row for row in rows if row.measure == "UA" or not row.agrees]
    width = max((len(f"{row.figure} {row.measure}") for row in shown), default=0)
    if shown:
        typer.echo(f"{'':{width}s}  shipped     here  difference  tolerance  agrees")
    for row in shown:
        title = f"{row.figure} {row.measure}"
        typer.echo(f"{title:{width}s}  {_against_shipped(row)}")
    if same_weights is not None:
        told = (
            "the same bytes"
            if same_weights
            else "other bytes: another processor, or other versions of the code or its packages"
        )
        typer.echo(f"weights: {told} (SHA-256)")
    differing = sum(not row.agrees for row in rows)
    measures = "UA, WA, macro F1 and weighted F1"
    if not rows:
        typer.echo("no evaluation is finished, so there is nothing to compare")
    elif differing:
        typer.echo(f"{differing} of {len(rows)} measures ({measures}) differ")
    else:
        typer.echo(f"all {len(rows)} measures ({measures}) agree")


def _against_shipped(row: Comparison) -> str:
    if row.shipped is None:
        return f"{'none':>7s}  {row.reproduced:7.1f}  {'':10s}  {'':9s}  no"
    numbers = f"{row.shipped:7.1f}  {row.reproduced:7.1f}  {row.reproduced - row.shipped:+10.1f}  {row.tolerance:9.1f}"
    if row.shipped_clips != row.reproduced_clips:
        return f"{numbers}  no: {row.reproduced_clips} clips, shipped {row.shipped_clips}"
    return f"{numbers}  {'yes' if row.agrees else 'no'}"


def print_classes(metrics: Metrics) -> None:
    """Prints precision, recall and F1 of every emotion and their means, in percent, with the number of clips."""
    typer.echo(f"{'':14s}{'precision':>10s}{'recall':>10s}{'F1':>10s}{'clips':>8s}")
    rows = metrics.per_class
    for label, own in rows.items():
        typer.echo(f"{label:14s}{_cells(own['precision'], own['recall'], own['f1'])}{own['clips']:8.0f}")
    precision = sum(own["precision"] for own in rows.values()) / len(rows)
    typer.echo(f"{'mean':14s}{_cells(precision, metrics.ua, metrics.f1)}{metrics.clips:8d}")
    low, high = metrics.interval
    typer.echo(
        f"UA {100 * metrics.ua:.1f} % [{100 * low:.1f}, {100 * high:.1f}]   WA {100 * metrics.wa:.1f} %   "
        f"weighted F1 {100 * metrics.weighted_f1:.1f} %   chance {100 / len(metrics.answers):.1f} %"
    )


def _cells(*shares: float) -> str:
    return "".join(f"{100 * share:8.1f} %" for share in shares)


def print_confusion(metrics: Metrics) -> None:
    """Prints the confusion matrix: true emotions in rows, predicted ones in columns."""
    width = max(map(len, metrics.labels)) + 1
    typer.echo(" " * width + "".join(f"{answer[:7]:>8s}" for answer in metrics.answers) + "   <- predicted")
    for label, row in zip(metrics.labels, metrics.confusion, strict=True):
        typer.echo(f"{label:{width}s}" + "".join(f"{count:8d}" for count in row))


def print_corpus(found: dict) -> None:
    """Prints a summary of a corpus."""
    length = found["seconds"]
    typer.echo(
        f"{found['title']}: {found['clips']} clips, {found['hours']:.2f} hours, {len(found['speakers'])} speakers; "
        f"{length['min']:.2f} to {length['max']:.2f} s, median {length['median']:.2f} s"
    )
    typer.echo(f"{'':14s}{'clips':>8s}{'share':>10s}{'speakers':>10s}{'median':>10s}{'listeners agree':>18s}")
    rated = found["listeners"]["by_emotion"] if found["listeners"] else {}
    for emotion, own in found["emotions"].items():
        agree = f"{100 * rated[emotion]['agreement']:16.1f} %" if emotion in rated else ""
        typer.echo(
            f"{emotion:14s}{own['clips']:8d}{100 * own['share']:8.1f} %{own['speakers']:10d}"
            f"{own['median_seconds']:8.2f} s{agree}"
        )
    for name in ("sex", "intensity", "sample_rates"):
        counts = ", ".join(f"{value} {clips}" for value, clips in found[name].items())
        typer.echo(f"{name.replace('_', ' ')}: {counts}")
    if found["listeners"]:
        own = found["listeners"]
        typer.echo(
            f"listeners: {100 * own['agreement']:.1f} % of votes on {own['clips']} clips name the intended emotion; "
            f"in {100 * own['majority']:.1f} % of the clips it got more votes than any other"
        )


def print_model(info: Any) -> None:
    """Prints a model's name and title, its figures on unseen speakers, labels, licence, and whether it adapts."""
    from ser.data.corpus import allow_commercial_use

    typer.echo(f"{info.name}: {info.title}, {info.parameters / 1e6:.1f} M parameters")
    for one in info.unseen_figures:
        what = f"{one.corpus} ({one.protocol}, {one.classes} classes)"
        typer.echo(f"  UA {one.ua:.1f} % on unseen speakers of {what}")
    if not info.unseen_figures:
        typer.echo("  not evaluated on unseen speakers")
    use = "commercial use under these terms" if allow_commercial_use(info.corpora) else "no commercial use"
    typer.echo(f"  {', '.join(info.labels)}\n  {info.licence}: {use}")
    if info.profiles:
        typer.echo("  adapts to the speaker")


def print_voice(name: str, voice: Any) -> None:
    """Prints a voice report: a line per descriptor, then every statistic."""
    typer.echo(
        name if voice.speech_seconds else f"{name}: no speech detected, so only measurements of the whole recording"
    )
    for descriptor in voice.descriptors:
        if descriptor.value is not None:
            unit = f"{descriptor.unit:9s}"
            typer.echo(f"  {descriptor.name:14s} {_number(descriptor.value):>8s} {unit}  {descriptor.meaning}")
    if voice.cut:
        typer.echo(f"  measured on the first {voice.measured_seconds:g} s of speech")
    for statistic, value in voice.statistics.items():
        typer.echo(f"  {statistic:42s} {value:12.5g}")


def _number(value: float) -> str:
    return f"{value:.3f}" if 0 < abs(value) < 1 else f"{value:.1f}"
