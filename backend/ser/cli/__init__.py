"""Defines the command line. Every command imports what it needs itself, so that ``--help`` is immediate.

Results go to stdout, everything else to stderr. Exit codes: 0 success, 1 some files failed, 2 wrong usage, 3 bad input,
4 a problem with a model or a download.
"""

from __future__ import annotations

import errno
import sys
from typing import Annotated

import typer

from ser import __version__
from ser.cli.evaluate import evaluate
from ser.cli.predict import features, plot, predict
from ser.cli.profiles import enroll, profiles
from ser.cli.reports import compare, explore, report
from ser.cli.reproduce import reproduce
from ser.cli.score import score
from ser.cli.serve import models, openapi, serve
from ser.cli.train import train
from ser.core.errors import SerError
from ser.core.optional_packages import OPTIONAL, package_error

FULL = (errno.ENOSPC, errno.EDQUOT)

app = typer.Typer(
    help="Recognises the emotion in a voice, with a calibrated confidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    predict,
    enroll,
    profiles,
    features,
    plot,
    serve,
    train,
    evaluate,
    reproduce,
    score,
    report,
    compare,
    models,
    openapi,
)
for command in COMMANDS:
    app.command()(command)
app.command("corpus")(explore)


def main() -> None:
    """Runs the command line; an expected error is one sentence on stderr and its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # a file name may contain anything
    try:
        app(prog_name="ser")
    except SerError as error:
        typer.echo(f"ser: {error}", err=True)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in OPTIONAL:
            raise
        missing = package_error(name)
        typer.echo(f"ser: {missing}", err=True)
        sys.exit(missing.exit_code)
    except OSError as error:
        if error.errno not in FULL:
            raise
        typer.echo("ser: the disk is full; free some space and run the same command again.", err=True)
        sys.exit(1)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
