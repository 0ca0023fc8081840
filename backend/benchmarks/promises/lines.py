"""Defines the lines of the scorecard, and runs the tests that verify a promise."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Line:
    """One promise and its measurement.

    Attributes:
        promise: its number, such as R1.
        wanted: the promise.
        measured: the measurement.
        passed: whether the promise was met.
    """

    promise: str
    wanted: str
    measured: str
    passed: bool

    @property
    def verdict(self) -> str:
        """A word for the table."""
        return "pass" if self.passed else "**FAIL**"


def by_tests(promise: str, wanted: str, tests: list[str], full: bool) -> Line:
    """Runs tests of the project and returns how many of them passed.

    Args:
        promise: number of the promise.
        wanted: the promise.
        tests: arguments of pytest.
        full: whether tests use their full sizes (``SER_FULL=1``).
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *tests]
        environment = os.environ | ({"SER_FULL": "1"} if full else {})
        done = subprocess.run(command, cwd=BACKEND, env=environment, capture_output=True)
        suite = ElementTree.parse(report).getroot().find("testsuite")
    ran = int(suite.get("tests", 0)) - int(suite.get("skipped", 0))
    failed = [one.get("name") for one in suite if one.find("failure") is not None or one.find("error") is not None]
    measured = f"{ran - len(failed)} of {ran} tests" + (f", not {', '.join(failed)}" if failed else "")
    return Line(promise, wanted, measured, done.returncode == 0 and ran > 0)
