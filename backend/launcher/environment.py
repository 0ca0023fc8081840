"""Owns ``backend/.venv``: whether it is complete, and making it from ``requirements.lock``.

The stamp is written last and names what was installed, so that a killed set-up is never taken for a finished one.
"""

from __future__ import annotations

import os
import sys

from launcher.project import Project, digest, read, remove, write


def is_ready(project: Project) -> bool:
    """Whether the environment holds what the lock file says."""
    return os.path.exists(project.python) and read(project.stamp) == stamp(project)


def stamp(project: Project) -> str:
    """Returns what the stamp says of a complete environment: the lock's hash and the Python inside."""
    settings = dict(line.split(" = ", 1) for line in read(_settings(project)).splitlines() if " = " in line)
    return f"{digest(project.lock)} python {settings.get('version', 'unknown')}\n"


def make(project: Project) -> None:
    """Makes the environment, or brings a complete one to a new lock file.

    Raises:
        SetupError: this Python cannot make environments, or pip failed.
    """
    from launcher.steps import run_step, say

    complete = os.path.exists(project.python) and os.path.exists(project.stamp)
    say("Setting up, once: a few minutes and about 2 GB (more where PyTorch brings its GPU libraries).")
    remove(project.stamp)
    if not complete:
        _make_empty(project)
    _put_on_path(project)
    pins = _pins(project)
    run_step(
        f"[2/2] Installing {pins} packages into {project.venv}",
        [project.python, "-m", "pip", "install", "--requirement", project.lock, *PIP_OPTIONS],
        log=project.log,
        remedy="Check the internet connection and the free disk space, then run the same command again.",
        env={**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
        describe=Counter(pins).describe,
    )
    write(project.stamp, stamp(project))


PIP_OPTIONS = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--no-warn-script-location")


class Counter:
    """Turns pip's lines into "12 of 90"."""

    def __init__(self, pins: int):
        self.pins = pins
        self.seen = 0

    def describe(self, line: str) -> str | None:
        """Returns a word for a person, or None where the line says nothing new."""
        words = line.split()
        if words[:1] in (["Collecting"], ["Processing"]) or words[:2] == ["Requirement", "already"]:
            self.seen += 1
            return f"fetching {self.seen} of {max(self.pins, self.seen)}: {os.path.basename(words[1])}"
        if words[:3] == ["Installing", "collected", "packages:"]:
            return "all fetched, unpacking (about a minute)"
        return None


def _make_empty(project: Project) -> None:
    from importlib.util import find_spec

    from launcher.steps import SetupError, run_step

    if not (find_spec("venv") and find_spec("ensurepip")):
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            f"This Python ({sys.executable}) cannot make virtual environments: the module venv or ensurepip is "
            f"missing.\nOn Debian and Ubuntu: sudo apt install python{version}-venv. Then run the same command again."
        )
    # a Python that runs from the environment itself must not clear what it stands on
    own = os.path.normcase(sys.prefix) == os.path.normcase(project.venv)
    python = getattr(sys, "_base_executable", sys.executable) if own else sys.executable
    run_step(
        f"[1/2] Making {project.venv}",
        [python, "-m", "venv", "--clear", project.venv],
        log=project.log,
        remedy=f"Close what may be using {project.venv}, check the free disk space, and run the same command again.",
    )


def _put_on_path(project: Project) -> None:
    """Makes ``ser`` importable. A relative line needs no build, and stays right when the project's folder is moved."""
    packages = site_packages(project)
    relative = os.path.relpath(project.backend, packages)
    write(os.path.join(packages, "speech_emotion.pth"), relative.replace(os.sep, "/") + "\n")


def site_packages(project: Project) -> str:
    """Returns the folder that packages are installed into."""
    if os.name == "nt":
        return os.path.join(project.venv, "Lib", "site-packages")
    library = os.path.join(project.venv, "lib")
    version = next(name for name in sorted(os.listdir(library)) if name.startswith("python"))
    return os.path.join(library, version, "site-packages")


def _settings(project: Project) -> str:
    return os.path.join(project.venv, "pyvenv.cfg")


def _pins(project: Project) -> int:
    return sum("==" in line and not line.startswith("#") for line in read(project.lock).splitlines())
