"""Runs ``python3 -m backend test``: every check of backend and page; reports what passed, failed or could not run.

With ``SER_REQUIRE_ALL=1``, as in CI, a check that could not run counts as failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from launcher import page
from launcher.project import Project
from launcher.steps import SetupError, say

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WORKERS = 4  # processes of Python tests at most; each holds a model or two in memory
NOT_RUN = b"not run:"  # prefix of the lines in which the Python tests report tests that could not run


class Check:
    """A program that checks something; exit code 0 means that it passed."""

    def __init__(self, title: str, command: list[str], folder: str, env: dict[str, str]) -> None:
        self.title = title
        self.command = command
        self.folder = folder
        self.env = env


class Report:
    """The results so far; every list holds lines for the summary."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.not_run: list[str] = []

    def exit_code(self, require_all: bool) -> int:
        """Returns 0 if nothing failed and nothing required is missing."""
        return 1 if self.failed or (require_all and self.not_run) else 0

    def text(self, require_all: bool) -> str:
        """Returns the summary; its last line gives the number of passed and failed checks."""
        lines = [f"passed   {line}" for line in self.passed] + [f"FAILED   {line}" for line in self.failed]
        lines += [f"NOT RUN  {line}" for line in self.not_run]
        failed = len(self.failed) + (len(self.not_run) if require_all else 0)
        if require_all and self.not_run:
            lines.append("SER_REQUIRE_ALL=1: what could not run counts as failed.")
        return "\n".join([*lines, f"checks: {len(self.passed)} passed, {failed} failed"])


def run_checks(project: Project, full: bool = False) -> int:
    """Runs every check, even after a failure, and prints the summary.

    Args:
        project: what is checked.
        full: whether to also measure the promises in full size and write the scorecard.

    Returns:
        0 when all is well, 1 when something failed (or is missing, in CI), 130 when stopped with Ctrl-C.
    """
    report = Report()
    require_all = os.environ.get("SER_REQUIRE_ALL") == "1"
    try:
        checks = _checks(project, report)
        if full:
            card = [project.python, "-m", "benchmarks.promises.scorecard", "--full"]
            checks.append(Check("scorecard of the promises", card, project.backend, dict(os.environ)))
        for check in checks:
            run(check, report)
    except SetupError as error:
        say(f"\n{error}")
        report.failed.append("set-up of Node.js")
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130
    print(f"\n{report.text(require_all)}", flush=True)
    return report.exit_code(require_all)


def find_chromium() -> str | None:
    """Returns the browser that ``SER_CHROMIUM`` names, else the first one found on the search path."""
    named = os.environ.get("SER_CHROMIUM")
    if named:
        return shutil.which(named)
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def _checks(project: Project, report: Report) -> list[Check]:
    """Returns the checks that can run here, in their order; the report gets the others.

    They run one after another: in parallel they took as long, because they are limited by the processor, and promises
    about time were broken (R3 and E5, measured on two cores).
    """
    chromium = find_chromium()
    env = page.node_environment(project)
    env["SER_PYTHON"] = project.python
    env.pop("SER_CHROMIUM", None)
    if chromium:
        env["SER_CHROMIUM"] = chromium
    npm = page.npm_command(project, env)
    pytest = [project.python, "-m", "pytest", "--numprocesses=logical", f"--maxprocesses={WORKERS}", "--dist=loadfile"]
    pytest += ["--color=yes"] if sys.stdout.isatty() else []
    pytest += [] if chromium else ["-m", "not browser"]
    ruff = [project.python, "-m", "ruff", "check", "."]
    checks = [
        Check("style (ruff)", ruff, project.backend, env),
        Check("Python tests (pytest)", pytest, project.backend, {"OMP_NUM_THREADS": "1"} | env),
        Check("page: lint, types, unit tests (npm test)", [*npm, "test"], project.frontend, env),
    ]
    title = "page in a real browser (npm run e2e)"
    if chromium:
        checks.append(Check(title, [*npm, "run", "e2e"], project.frontend, env))
    else:
        named = os.environ.get("SER_CHROMIUM")
        why = f"SER_CHROMIUM is {named}, which is no program" if named else "no Chromium was found"
        report.not_run.append(f"{title}: {why}; install Chromium or name one in SER_CHROMIUM")
    return checks


def run(check: Check, report: Report) -> None:
    """Runs one program, forwards its output line by line, and records its result and the tests it could not run."""
    _show(f"\n== {check.title}\n".encode())
    begin = time.monotonic()
    try:
        child = subprocess.Popen(
            check.command,
            cwd=check.folder,
            env=check.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        report.failed.append(f"{check.title}, {check.command[0]} cannot be started: {error.strerror}")
        return
    with child:
        for line in child.stdout or ():
            _show(line)
            if line.startswith(NOT_RUN):
                report.not_run.append(line[len(NOT_RUN) :].decode("utf-8", "replace").strip())
    seconds = f"{check.title}, {time.monotonic() - begin:.0f} s"
    if child.returncode:
        report.failed.append(f"{seconds}, exit code {child.returncode}")
    else:
        report.passed.append(seconds)


def _show(output: bytes) -> None:
    """Writes the output of a program to stdout unchanged."""
    out = getattr(sys.stdout, "buffer", None)
    if out:
        out.write(output)
        out.flush()
