"""Defines the command ``reproduce``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ser.cli.console import print_reproduction
from ser.cli.evaluate import evaluate
from ser.cli.options import OutOption
from ser.cli.sources import COMMAND
from ser.cli.train import train
from ser.core.errors import CorpusError, SettingsError

if TYPE_CHECKING:
    from ser.core.settings import Settings
    from ser.data.corpus import Corpus
    from ser.evaluation.reproduction import Step

COMMANDS = {"evaluate": evaluate, "train": train}
FINISHED_FILE = "finished.json"


def reproduce(
    name: Annotated[str, typer.Argument(help="Name of a shipped model, such as cnn1d; 'models' lists them.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="STEP", help="Run only this step; repeatable.")
    ] = None,
    list_steps: Annotated[bool, typer.Option("--list", help="List the steps without running them.")] = False,
    out: OutOption = None,
) -> None:
    """Makes a shipped model and its figures again, and says whether they agree; resumes if interrupted.

    The steps are in the model's reproduce.json. Exit code 0: all figures agree; 1: some do not.
    """
    from ser.core.settings import load_settings
    from ser.evaluation.reproduction import read_steps
    from ser.models.checkpoint import find_checkpoint

    settings = load_settings()
    shipped = find_checkpoint(name, settings.weights)
    steps = read_steps(shipped)
    chosen = _chosen(steps, only)
    folder = _relative(out or settings.runs / "reproduce" / shipped.name)
    run = Reproduction(shipped, folder, steps)
    if list_steps:
        for step in steps:
            typer.echo(f"{step.name:10s} {'finished  ' if run.is_finished(step) else ''}{step.text}")
        return
    _check_corpora(settings, shipped, [step for step in chosen if not run.is_finished(step)])
    for number, step in enumerate(chosen, start=1):
        finished = run.is_finished(step)
        note = "finished before" if finished else step.text
        typer.echo(f"step {number} of {len(chosen)}, {step.name}: {note}", err=True)
        if not finished:
            run.run(step)
    if not run.report():
        raise typer.Exit(1)


class Reproduction:
    """The steps of a model, and which of them are finished.

    Args:
        shipped: folder of the model.
        folder: where a folder for each evaluation, and the model, are written.
        steps: every step of the model.
    """

    def __init__(self, shipped: Path, folder: Path, steps: Sequence[Step]):
        from ser.evaluation.reproduction import weights_digest

        self._shipped, self._folder, self._steps = shipped, folder, steps
        self._digest = weights_digest(shipped)
        self._finished = self._read()

    def is_finished(self, step: Step) -> bool:
        """Whether a step was run to its end, with the same options and for the weights that ship now."""
        return self._finished.get(step.name) == step.text

    def run(self, step: Step) -> None:
        """Runs a step; ``evaluate`` resumes after the last finished fold.

        Raises:
            SettingsError: the step trains, and an evaluation that it needs is not finished.
        """
        words = [*step.options, *self._evaluations(step), "--out", str(self._output(step))]
        self._forget(step)
        token = COMMAND.set((step.command, *words))
        try:
            with contextlib.redirect_stdout(sys.stderr):  # stdout has the comparison only
                _run(step.command, words)
        finally:
            COMMAND.reset(token)
        self._finished[step.name] = step.text
        self._write()

    def report(self) -> bool:
        """Prints the figures of the finished evaluations beside those that ship, and returns whether all agree."""
        from ser.evaluation.reproduction import compare_figures, weights_digest

        rows = []
        for step in self._steps:
            if step.keep_as and self.is_finished(step):
                rows += compare_figures(self._shipped / step.keep_as, self._output(step))
        same = None
        if self.is_finished(self._steps[-1]):
            same = weights_digest(self._output(self._steps[-1])) == self._digest
        print_reproduction(rows, same)
        return all(row.agrees for row in rows)

    def _output(self, step: Step) -> Path:
        """The folder of a step; that of the weights has the name of the model, which is read from it."""
        return self._folder / step.name / ("" if step.keep_as else self._shipped.name)

    def _evaluations(self, step: Step) -> list[str]:
        """The options that name the evaluations whose figures the weights carry."""
        if step.keep_as:
            return []
        needed = [one for one in self._steps if one.keep_as == "evaluation"]
        if missing := [one.name for one in needed if not self.is_finished(one)]:
            raise SettingsError(f"The step {step.name} needs {', '.join(missing)}: run without --only, or these first.")
        return [word for one in needed for word in ("--evaluation", str(self._output(one)))]

    def _forget(self, step: Step) -> None:
        """Marks a step as unfinished, and with an evaluation also the weights, which depend on it."""
        for name in {step.name, self._steps[-1].name}:
            self._finished.pop(name, None)
        self._write()

    def _read(self) -> dict[str, str]:
        """Step -> the command that finished it."""
        import json

        try:
            record = json.loads((self._folder / FINISHED_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return record["steps"] if record["sha256"] == self._digest else {}

    def _write(self) -> None:
        import json

        from ser.core.atomic_write import write_text

        record = {"sha256": self._digest, "steps": self._finished}
        write_text(self._folder / FINISHED_FILE, json.dumps(record, indent=2) + "\n")


def _run(command: str, words: list[str]) -> None:
    """Runs ``evaluate`` or ``train`` as from the command line; every error and an interruption pass through."""
    parser = _parser(command)
    with parser.make_context(f"ser {command}", words) as context:
        parser.invoke(context)


def parse(step: Step) -> Mapping[str, Any]:
    """Returns the options of a step by name, as its command gets them."""
    return _parser(step.command).make_context(step.command, list(step.options)).params


def _parser(command: str) -> Any:
    app = typer.Typer(add_completion=False)
    app.command(command)(COMMANDS[command])
    return typer.main.get_command(app)


def _chosen(steps: Sequence[Step], only: Sequence[str] | None) -> list[Step]:
    names = [step.name for step in steps]
    if unknown := [name for name in only or () if name not in names]:
        raise SettingsError(f"--only {unknown[0]!r}: there is no such step; available: {', '.join(names)}.")
    return [step for step in steps if not only or step.name in only]


def _relative(path: Path) -> Path:
    """A path as the recorded commands name it: below the working directory without what is above that."""
    absolute = path.absolute()
    return absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute


def _check_corpora(settings: Settings, shipped: Path, steps: Sequence[Step]) -> None:
    """Warns of corpora that are not as in the shipped figures.

    Raises:
        CorpusError: a corpus is missing and has to be downloaded by hand.
    """
    from ser.data.corpus import corpus_root, get_corpus
    from ser.evaluation.reproduction import describe_other_clips

    corpora = {name: get_corpus(name) for step in steps for name in _corpora(step)}
    roots = {name: corpus_root(corpus, settings.corpora) for name, corpus in corpora.items()}
    here = {name for name, root in roots.items() if root.is_dir() and any(root.iterdir())}
    if absent := [corpus for name, corpus in corpora.items() if name not in here and not corpus.archives]:
        raise CorpusError(
            f"{shipped.name} was made from corpora that are missing here: {'; '.join(map(_where, absent))}. Download "
            f"them by hand into {settings.corpora}, as data/README.md describes, and run the same command again."
        )
    for name in sorted(here):
        if told := describe_other_clips(shipped, name, corpora[name].scan(roots[name])):
            typer.echo(f"ser: {told}", err=True)


def _corpora(step: Step) -> list[str]:
    from ser.models.recipe import get_recipe

    options = parse(step)
    default = list(get_recipe(options["recipe"]).corpora)[:1]
    return [*(options["corpus"] or default), *(options["unlabelled"] or ())]


def _where(corpus: Corpus) -> str:
    return f"{corpus.title} ({corpus.link}) into {corpus.name}/"
