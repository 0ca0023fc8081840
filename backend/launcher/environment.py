"""Creates ``backend/.venv`` and installs the packages a command needs: ``serve``, and ``train`` and ``dev`` on demand.

Each part has a lock file and a stamp. The stamp is written last and names what was installed, so that a killed set-up
is never taken for a finished one.
"""

from __future__ import annotations

import os
import sys

from launcher.project import LOCKS, Project, digest, read, remove, write

PIP_OPTIONS = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--no-warn-script-location")
PIP_OPTIONS += ("--no-compile",)  # Python compiles modules on first import, few of all installed
SERVING = "ser.cli, ser.api.server.run, ser.inference.predictor, av"  # modules that import most of what serving needs
USES = {"serve": "to serve and predict", "train": "to train, evaluate and draw", "dev": "for tests and notebooks"}


def parts_up_to(part: str) -> list[str]:
    """Returns a part and the ones it needs, in the order of their installation."""
    names = list(LOCKS)
    return names[: names.index(part) + 1]


def is_ready(project: Project, part: str = "serve") -> bool:
    """Whether the environment matches the locks of a part and of the parts it needs."""
    if not os.path.exists(project.python):
        return False
    return all(read(project.stamp(one)) == stamp(project, one) for one in parts_up_to(part))


def stamp(project: Project, part: str) -> str:
    """Returns the content of the stamp of an installed part: the hash of its lock and the Python version."""
    settings = dict(line.split(" = ", 1) for line in read(_settings(project)).splitlines() if " = " in line)
    return f"{digest(project.lock(part))} python {settings.get('version', 'unknown')}\n"


def make(project: Project) -> None:
    """Creates an empty environment unless a finished one exists.

    Raises:
        SetupError: this Python cannot create environments.
    """
    if not (os.path.exists(project.python) and os.path.exists(project.stamp("serve"))):
        _make_empty(project)
    _put_on_path(project)


def install(project: Project, part: str) -> None:
    """Installs the missing packages of a part and of the parts it needs into an environment created by ``make``.

    Raises:
        SetupError: pip failed.
    """
    for one in parts_up_to(part):
        if read(project.stamp(one)) != stamp(project, one):
            _install(project, one)
    if part == "dev" or sys.dont_write_bytecode:
        compile_packages(project, everything=part == "dev")  # tests start hundreds of processes


def _install(project: Project, part: str) -> None:
    """Installs one part.

    An interrupted first installation is resumed by installing over what it left. An interrupted update may leave parts
    of two versions: without the stamp of ``serve``, the next start creates a new environment.
    """
    from launcher.steps import run_step

    begun, serving = f"{project.stamp(part)}.begun", read(project.stamp("serve"))
    pins = _pins(project, part)
    packages = ["--requirement", project.lock(part)]
    if os.path.exists(project.stamp(part)):
        remove(project.stamp("serve"))
    elif os.path.exists(begun):
        packages = ["--ignore-installed", "--no-deps", *pins]
    write(begun, "")
    remove(project.stamp(part))
    run_step(
        f"Installing {len(pins)} packages {USES[part]} into {project.venv}",
        [project.python, "-m", "pip", "install", *packages, *PIP_OPTIONS],
        log=project.log,
        remedy="Check the internet connection and the free disk space, then run the same command again.",
        env={**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
        describe=Counter(len(pins)).describe,
    )
    if part != "serve":
        write(project.stamp("serve"), serving)
    write(project.stamp(part), stamp(project, part))
    remove(begun)


def compile_packages(project: Project, everything: bool) -> None:
    """Compiles what serving imports, or everything, where Python would not store the bytecode on import.

    Raises:
        SetupError: the packages cannot be imported.
    """
    from launcher.steps import run_step

    program, folders = f"import {SERVING}", []
    if everything:
        program = "import compileall, sys; [compileall.compile_dir(one, quiet=2, workers=0) for one in sys.argv[1:]]"
        folders = [site_packages(project), os.path.join(project.backend, "ser")]
    run_step(
        "Compiling the packages",
        [project.python, "-P", "-c", program, *folders],
        log=project.log,
        remedy=f"Delete {project.venv} and run the same command again.",
        env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    )


class Counter:
    """Turns pip's output into progress notes such as "12 of 90"."""

    def __init__(self, pins: int):
        self.pins = pins
        self.seen = 0

    def describe(self, line: str) -> str | None:
        """Returns a progress note, or None if the line is not progress."""
        words = line.split()
        if words[:1] in (["Collecting"], ["Processing"]):
            self.seen += 1
            return f"fetching {self.seen} of {max(self.pins, self.seen)}: {os.path.basename(words[1])}"
        if words[:3] == ["Installing", "collected", "packages:"]:
            return "all fetched, unpacking (half a minute)"
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
    # a Python that runs from the environment itself must not delete its own files
    own = os.path.normcase(sys.prefix) == os.path.normcase(project.venv)
    python = getattr(sys, "_base_executable", sys.executable) if own else sys.executable
    run_step(
        f"Making {project.venv}",
        [python, "-m", "venv", "--clear", project.venv],
        log=project.log,
        remedy=f"Close what may be using {project.venv}, check the free disk space, and run the same command again.",
    )


def _put_on_path(project: Project) -> None:
    """Makes ``ser`` importable. A relative path needs no build and stays valid when the project's folder is moved."""
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


def _pins(project: Project, part: str) -> list[str]:
    """The lines of a part's own lock that name a package."""
    return [line for line in read(project.lock(part)).splitlines() if "==" in line and not line.startswith("#")]
