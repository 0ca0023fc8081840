"""Decides what a command needs, sets that up, and hands over to the ``ser`` command in the environment.

When everything is in place this imports almost nothing: the launcher takes a few hundredths of a second.
"""

from __future__ import annotations

import os
import sys

from launcher import environment, page
from launcher.project import Project

MIN_PYTHON = (3, 11)
TRAINING = (
    "train",
    "evaluate",
    "reproduce",
    "score",
    "report",
    "compare",
    "corpus",
    "features",
    "plot",
)  # commands that need the part train
HELP = """\
Usage: python3 -m backend [COMMAND] [OPTIONS]

Without a command: serves the page on http://localhost:5000 and opens it; takes the options of 'serve'.

  setup   only sets up what serving needs; with --train also what training needs, with --all also tests and notebooks
  test    runs every test of both sides; with --full also measures everything that is promised
  audit   asks databases on the internet for known vulnerabilities of the installed packages

Packages go to backend/.venv, the page to frontend/dist. Those for training and for tests are installed by the first
command that needs them. Every other command is one of 'ser':
"""


def main(arguments: list[str]) -> int:
    """Runs a command line; on POSIX the process becomes the ``ser`` command and this does not return.

    Args:
        arguments: everything after ``python3 -m backend``.

    Returns:
        The exit code: that of the command, 1 when set-up or a test failed, 2 for wrong usage.
    """
    if sys.version_info < MIN_PYTHON:
        wanted, found = ".".join(map(str, MIN_PYTHON)), ".".join(map(str, sys.version_info[:3]))
        print(f"Python {wanted} or newer is needed, this is {found} ({sys.executable}).", file=sys.stderr)
        print("Install a newer one and start again with it, e.g. python3.12 -m backend.", file=sys.stderr)
        return 1
    project = Project(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    command = ser_command(arguments)
    allowed = {"setup": ("--train", "--all"), "test": ("--full",), "audit": ()}.get(command[0])
    if allowed is not None and command[1:] not in ([], *([option] for option in allowed)):
        takes = " or ".join(allowed) or "no options"
        print(f"'{command[0]}' takes {takes}, got: {' '.join(command[1:])}", file=sys.stderr)
        return 2
    if not prepare(project, part_of(command), with_page=needs_page(command)):
        return 1
    if command[0] == "setup":
        return _compile(project)
    if command[0] == "test":
        from launcher.checks import run_checks

        return run_checks(project, full="--full" in command)
    if command[0] == "audit":
        return _audit(project)
    if command == ["--help"]:
        print(HELP, flush=True)
    return hand_over(project, command)


def _compile(project: Project) -> int:
    """Compiles everything for users who may not write here, such as that of a service."""
    from launcher.steps import SetupError, say

    try:
        environment.compile_packages(project, everything=True)
    except (SetupError, KeyboardInterrupt) as error:
        say(f"\n{str(error) or 'Stopped.'}")
        return 1
    print("Ready. Start with: python3 -m backend", file=sys.stderr)
    return 0


def _audit(project: Project) -> int:
    from launcher.audit import audit
    from launcher.steps import SetupError, say

    try:
        return audit(project)
    except SetupError as error:
        say(f"\n{error}")
        return 1


def ser_command(arguments: list[str]) -> list[str]:
    """Returns the command to run; without arguments it is ``serve`` and opens the browser."""
    if arguments and arguments[0] in ("--help", "-h"):
        return ["--help"]
    if arguments and (not arguments[0].startswith("-") or arguments[0] == "--version"):
        return arguments
    return ["serve", "--open", *arguments]


def needs_page(command: list[str]) -> bool:
    """Whether a command needs Node.js and the built page; predicting and training do not."""
    return command[0] in ("serve", "setup", "test") and "--help" not in command


def part_of(command: list[str]) -> str:
    """Returns the part of the packages that a command needs; help needs no more than serving does."""
    if command == ["setup", "--all"] or command[0] == "test":
        return "dev"
    trains = command[0] in TRAINING or command == ["setup", "--train"]
    return "train" if trains and "--help" not in command else "serve"


def prepare(project: Project, part: str, with_page: bool) -> bool:
    """Sets up what is missing, one process at a time; reports an error on stderr and returns False."""
    if environment.is_ready(project, part) and not (with_page and not page.is_ready(project)):
        return True
    from launcher.steps import SetupError, exclusive, say

    try:
        with exclusive(project.setup_lock):
            _set_up(project, part, with_page)
    except SetupError as error:
        say(f"\n{error}")
        return False
    except KeyboardInterrupt:
        say("\nStopped. The next start begins this step again.")
        return False
    return True


def _set_up(project: Project, part: str, with_page: bool) -> None:
    """Installs packages and builds the page in parallel, as neither needs the other."""
    from launcher.steps import say, side_by_side

    works = []
    if not environment.is_ready(project, part):
        if not environment.is_ready(project):
            say("Setting up, once: a minute or two and about 1.6 GB (more where PyTorch brings its GPU libraries).")
        environment.make(project)
        works.append(lambda: environment.install(project, part))
    if with_page and not page.is_ready(project):
        works.append(lambda: page.build(project))
    side_by_side(works)


def hand_over(project: Project, command: list[str]) -> int:
    """Replaces this process by ``ser``, with the same stdin, stdout and working directory.

    ``-P`` keeps the working directory off the import path, where a user's file may be called torch.py.
    """
    program = [project.python, "-P", "-m", "ser", *command]
    if os.name != "nt":
        os.execv(program[0], program)
    import subprocess

    with subprocess.Popen(program) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # Ctrl-C reaches the child too, which handles it
