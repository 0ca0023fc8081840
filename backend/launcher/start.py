"""Owns the decision what a command line needs, and the hand-over to the ``ser`` command in the environment.

When everything is in place this imports next to nothing: the launcher costs a few hundredths of a second.
"""

from __future__ import annotations

import os
import sys

from launcher import environment, page
from launcher.project import Project

MIN_PYTHON = (3, 11)
HELP = """\
Usage: python3 -m backend [COMMAND] [OPTIONS]

Without a command: serves the page on http://localhost:5000 and opens it; takes the options of 'serve'.

  setup   only sets up: the environment in backend/.venv and the page in frontend/dist
  test    runs every test there is, on both sides; with --full also measures everything that is promised
  audit   asks databases on the internet whether vulnerabilities of the installed packages are known

Every other command is one of 'ser':
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
    full = command == ["test", "--full"]
    if command[0] in ("setup", "test", "audit") and len(command) > 1 and not full:
        print(f"'{command[0]}' takes no options, got: {' '.join(command[1:])}", file=sys.stderr)
        return 2
    if not prepare(project, with_page=needs_page(command)):
        return 1
    if command[0] == "setup":
        print("Ready. Start with: python3 -m backend", file=sys.stderr)
        return 0
    if command[0] == "test":
        from launcher.checks import run_checks

        return run_checks(project, full=full)
    if command[0] == "audit":
        return _audit(project)
    if command == ["--help"]:
        print(HELP, flush=True)
    return hand_over(project, command)


def _audit(project: Project) -> int:
    from launcher.audit import audit
    from launcher.steps import SetupError, say

    try:
        return audit(project)
    except SetupError as error:
        say(f"\n{error}")
        return 1


def ser_command(arguments: list[str]) -> list[str]:
    """Returns the command that is meant: the bare one is ``serve`` and opens the browser."""
    if arguments and arguments[0] in ("--help", "-h"):
        return ["--help"]
    if arguments and (not arguments[0].startswith("-") or arguments[0] == "--version"):
        return arguments
    return ["serve", "--open", *arguments]


def needs_page(command: list[str]) -> bool:
    """Whether a command needs Node.js and the built page; predicting and training do not."""
    return command[0] in ("serve", "setup", "test") and "--help" not in command


def prepare(project: Project, with_page: bool) -> bool:
    """Makes what is missing, one process at a time; says on stderr what went wrong and returns False if it did."""
    if environment.is_ready(project) and not (with_page and not page.is_ready(project)):
        return True
    from launcher.steps import SetupError, exclusive, say

    try:
        with exclusive(project.setup_lock):
            if not environment.is_ready(project):
                environment.make(project)
            if with_page and not page.is_ready(project):
                page.build(project)
    except SetupError as error:
        say(f"\n{error}")
        return False
    except KeyboardInterrupt:
        say("\nStopped. The next start begins this step again.")
        return False
    return True


def hand_over(project: Project, command: list[str]) -> int:
    """Becomes ``ser`` with the same stdin, stdout and working directory.

    ``-P`` keeps the working directory off the import path: a file of the user's may be called torch.py.
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
                continue  # Ctrl-C reaches the child too, and it is the child's to answer
