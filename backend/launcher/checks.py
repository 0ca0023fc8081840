"""Runs ``python3 -m backend test``: every check of both sides; reports what passed, and what could not run and why.

With ``SER_REQUIRE_ALL=1``, as in CI, a check that could not run counts as failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from launcher import page
from launcher.project import Project
from launcher.steps import SetupError, say, side_by_side

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# The lanes run side by side, the checks of a lane one after the other. The browser mostly waits, so it costs the Python
# tests little. A single lane, (("style", "python", "page", "browser"),), runs everything in turn and shows it live.
LANES = (("style", "python"), ("page", "browser"))
HEARTBEAT_SECONDS = 30.0  # output of lanes is shown when a check ends; a line so often says that all is well
WORKERS = 4  # processes of Python tests at most; each holds a model or two in memory
NOT_RUN = b"not run:"  # how the Python tests begin a line about tests they had to leave out


class Check:
    """A program that checks something; exit code 0 means that it passed."""

    def __init__(self, title: str, command: list[str], folder: str, env: dict[str, str]) -> None:
        self.title = title
        self.command = command
        self.folder = folder
        self.env = env


class Report:
    """The results so far; every list holds lines for a person."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.not_run: list[str] = []

    def exit_code(self, require_all: bool) -> int:
        """Returns 0 where nothing failed, and nothing is missing that is required."""
        return 1 if self.failed or (require_all and self.not_run) else 0

    def text(self, require_all: bool) -> str:
        """Returns the summary; its last line counts checks."""
        lines = [f"passed   {line}" for line in self.passed] + [f"FAILED   {line}" for line in self.failed]
        lines += [f"NOT RUN  {line}" for line in self.not_run]
        failed = len(self.failed) + (len(self.not_run) if require_all else 0)
        if require_all and self.not_run:
            lines.append("SER_REQUIRE_ALL=1: what could not run counts as failed.")
        return "\n".join([*lines, f"checks: {len(self.passed)} passed, {failed} failed"])


def run_checks(project: Project, full: bool = False) -> int:
    """Runs everything, also after a failure, and prints the summary.

    Args:
        project: what is checked.
        full: whether to also measure the promises in full size and write the scorecard, with nothing beside it.

    Returns:
        0 when all is well, 1 when something failed (or is missing, in CI), 130 when stopped with Ctrl-C.
    """
    report = Report()
    require_all = os.environ.get("SER_REQUIRE_ALL") == "1"
    try:
        checks = _checks(project, report)
        run_lanes(report, [[checks[name] for name in lane if name in checks] for lane in LANES])
        if full:
            card = [project.python, "-m", "benchmarks.promises.scorecard", "--full"]
            run_lanes(report, [[Check("scorecard of the promises", card, project.backend, dict(os.environ))]])
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


def _checks(project: Project, report: Report) -> dict[str, Check]:
    """Returns the checks that can run here, by name; the report gets the others."""
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
    checks = {
        "style": Check("style (ruff)", ruff, project.backend, env),
        "python": Check("Python tests (pytest)", pytest, project.backend, {"OMP_NUM_THREADS": "1"} | env),
        "page": Check("page: lint, types, unit tests (npm test)", [*npm, "test"], project.frontend, env),
    }
    title = "page in a real browser (npm run e2e)"
    if chromium:
        checks["browser"] = Check(title, [*npm, "run", "e2e"], project.frontend, env)
    else:
        named = os.environ.get("SER_CHROMIUM")
        why = f"SER_CHROMIUM is {named}, which is no program" if named else "no Chromium was found"
        report.not_run.append(f"{title}: {why}; install Chromium or name one in SER_CHROMIUM")
    return checks


def run_lanes(report: Report, lanes: list[list[Check]]) -> None:
    """Runs lanes of checks side by side, also after a failure.

    The output of a single lane is shown as it comes. That of several is kept until a check ends and then shown as a
    whole, so that no two outputs mix; a line in between says what is still running.
    """
    running: dict[str, float] = {}
    showing, done = threading.Lock(), threading.Event()

    def run(lane: list[Check]) -> None:
        for check in lane:
            running[check.title] = time.monotonic()
            if len(lanes) == 1:
                _show(f"\n== {check.title}\n".encode())
                _run(check, report, _show)
            else:
                lines: list[bytes] = [f"\n== {check.title}\n".encode()]
                _run(check, report, lines.append)
                with showing:
                    _show(b"".join(lines))
            del running[check.title]

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            now = time.monotonic()
            texts = [f"{title} for {now - began:.0f} s" for title, began in sorted(running.items())]
            with showing:
                _show(f"running: {', '.join(texts)}\n".encode())

    if len(lanes) > 1:
        threading.Thread(target=beat, daemon=True).start()
    try:
        side_by_side([lambda lane=lane: run(lane) for lane in lanes])
    finally:
        done.set()


def _show(output: bytes) -> None:
    """Writes the output of a program to stdout as it is."""
    out = getattr(sys.stdout, "buffer", None)
    if out:
        out.write(output)
        out.flush()


def _run(check: Check, report: Report, show: Callable[[bytes], object]) -> None:
    """Runs one program, passes on its output, line by line, and reports the result and what it says it left out."""
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
            show(line)
            if line.startswith(NOT_RUN):
                report.not_run.append(line[len(NOT_RUN) :].decode("utf-8", "replace").strip())
    seconds = f"{check.title}, {time.monotonic() - begin:.0f} s"
    if child.returncode:
        report.failed.append(f"{seconds}, exit code {child.returncode}")
    else:
        report.passed.append(seconds)
