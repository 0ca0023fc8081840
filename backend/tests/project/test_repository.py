"""Repository rules that no tool checks: pinned versions, and content that no file may contain."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import ser
from ser.core.settings import PROJECT

BACKEND = PROJECT / "backend"
MADE = {".git", ".venv", "node_modules", "dist", "build", "test-results", "playwright-report", "__pycache__"}
MADE |= {
    ".pytest_cache",
    ".hypothesis",
    ".ruff_cache",
    ".mypy_cache",
    "downloads",
    "cache",
    "runs",
    "speech_emotion.egg-info",
}
TEXT = {"", ".py", ".md", ".toml", ".txt", ".lock", ".json", ".ts", ".tsx", ".js", ".mjs", ".css", ".html", ".yml"}
# written in parts, so that this file passes its own tests; "someone" is the user name in examples
HOME_FOLDERS = re.compile(r"(?<![\w.<}])/(wo" + r"rk|root|home/(?!someone)\w+|Users/(?!someone)\w+|opt|tm" + "p)/")
REGISTRIES = [f"{name}.org" for name in ("pypi", "files.python" + "hosted", "registry.npm" + "js", "deb.deb" + "ian")]
REGISTRIES += ["download.py" + "torch.org", "registry.npm" + "js.com", "registry.yarn" + "pkg.com", "docker" + ".io"]


def project_files() -> list[Path]:
    """Every text file of the project, without the output of set-up, builds and downloads."""
    found = []
    for folder, names, files in os.walk(PROJECT):
        at = Path(folder)
        names[:] = [name for name in names if name not in MADE and at / name != PROJECT / "data"]
        found += [at / name for name in files if name not in MADE and Path(name).suffix in TEXT]
    return found


FILES = project_files()


def matches(pattern: re.Pattern[str]) -> list[str]:
    """Returns "file: match" for every file that matches a pattern."""
    found = []
    for path in FILES:
        text = path.read_text(encoding="utf-8", errors="ignore")
        found += [f"{path.relative_to(PROJECT)}: {match[0]}" for match in [pattern.search(text)] if match]
    return found


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(file: str) -> list[str]:
    """Returns the lines of a requirements file without comments."""
    lines = (BACKEND / file).read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def test_project_files_are_found():
    names = {str(path.relative_to(PROJECT)) for path in FILES}
    assert {os.path.join("backend", "ser", "core", "errors.py"), os.path.join("backend", "requirements.lock")} <= names


def test_no_file_contains_a_machine_specific_path():
    assert matches(HOME_FOLDERS) == []


@pytest.mark.parametrize("text", ["see /ho" + "me/anna/x", "'/wo" + "rk/y'", "(/tm" + "p/z)", "/ro" + "ot/.cache"])
def test_machine_specific_paths_are_detected(text: str):
    assert HOME_FOLDERS.search(text)


@pytest.mark.parametrize("text", ["https://host/work/x", "<Route path=work/>", "frontend/work/x", "/api/v1/x"])
def test_other_paths_are_accepted(text: str):
    assert not HOME_FOLDERS.search(text)


def test_no_file_names_a_package_registry():
    assert matches(re.compile("|".join(map(re.escape, REGISTRIES)))) == []


# Patterns of secrets: cloud, forge and chat tokens, private keys, and passwords in URLs or code.
SECRETS = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|github_pat_\w{22}|glpat-[\w-]{20}|xox[abprs]-\w{10}|hf_[A-Za-z]{34}|AIza[\w-]{35}"
    r"|sk-[A-Za-z0-9_-]{32}|-----BEGIN [A-Z ]*PRIVATE KEY-----|Bearer [\w-]{32}"
    r"|://\w+:(?!PASSWORD)[^\s@/:{}]+@(?!127\.)[\w.]+|(?i:(password|secret|api_?key|token)\s*[:=]\s*[\"'][\w+/-]{16,}[\"'])"
)


def test_no_file_contains_a_secret():
    assert matches(SECRETS) == []


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + 16 * "A",
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "gh" + "p_" + 36 * "x",
        "postgresql://ser:hunter2" + "@db.example/ser",
        'api_key = "' + 20 * "a" + '"',
    ],
)
def test_secrets_are_detected(text: str):
    assert SECRETS.search(text)


def test_only_ci_names_the_shared_folder():
    allowed = {os.path.join(".ci", "run")}
    naming = {line.split(":")[0] for line in matches(re.compile(re.escape("../" + "shared")))}
    assert naming <= allowed


LOCKS = {"requirements.txt": "requirements.lock"}
LOCKS |= {f"requirements-{use}.txt": f"requirements-{use}.lock" for use in ("train", "dev")}


def pins(lock: str) -> dict[str, str]:
    """Returns name -> version of the packages a lock file pins itself."""
    lines = [line for line in requirements(lock) if not line.startswith("-r ")]
    return {normalised(name): version for name, version in (line.split(" ;")[0].split("==") for line in lines)}


@pytest.mark.parametrize(("asked", "lock"), LOCKS.items())
def test_every_direct_dependency_is_pinned_in_its_part(asked: str, lock: str):
    direct = {normalised(re.split(r"[=<>~! \[]", line)[0]) for line in requirements(asked)}
    earlier = {name for other in LOCKS.values() if other != lock for name in pins(other)}
    assert direct and direct <= pins(lock).keys() | (earlier if lock != "requirements.lock" else set())


@pytest.mark.parametrize("lock", LOCKS.values())
def test_a_lock_pins_exactly_and_is_sorted(lock: str):
    lines = [line for line in requirements(lock) if not line.startswith("-r ")]
    names = [normalised(line.split("==")[0]) for line in lines]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.!]+( ; .+)?", line)] == []
    assert names == sorted(names)


def test_every_package_is_pinned_once_and_the_last_lock_includes_all():
    names = [name for lock in LOCKS.values() for name in pins(lock)]
    assert len(names) == len(set(names))
    assert requirements("requirements-train.lock")[0] == "-r requirements.lock"
    assert requirements("requirements-dev.lock")[0] == "-r requirements-train.lock"


def test_torch_is_pinned_without_a_local_version():
    assert "torch==2.13.0" in requirements("requirements.lock")


def test_the_locks_satisfy_the_requirements():
    pinned = {name: version for lock in LOCKS.values() for name, version in pins(lock).items()}
    for line in (line for asked in LOCKS for line in requirements(asked)):
        wanted = Requirement(line)
        assert pinned[normalised(wanted.name)] in wanted.specifier, line


def test_the_production_server_is_pinned_to_a_minor_version():
    (line,) = [line for line in requirements("requirements.txt") if line.startswith("waitress")]
    assert re.fullmatch(r"waitress~=\d+\.\d+\.\d+", line)


def test_serving_imports_only_its_own_part():
    """The server and every quick command import only packages that ``requirements.lock`` installs."""
    modules = "ser.api.server.run, ser.inference.predictor, ser.audio.decode_worker, ser.cli, ser.cli.sources"
    program = (
        f"import sys, {modules}\n"
        "from importlib.metadata import packages_distributions\n"
        "found = packages_distributions()\n"
        "print(*{name for module in sys.modules for name in found.get(module.split('.')[0], ())})"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=BACKEND, capture_output=True, text=True, check=True)
    others = pins("requirements-train.lock").keys() | pins("requirements-dev.lock").keys()
    assert {normalised(name) for name in done.stdout.split()} & others == set()


def test_each_use_is_an_extra_of_the_package(tmp_path: Path):
    """The metadata that ``pip install .`` would build."""
    for name in ("pyproject.toml", "README.md", "LICENSE", *LOCKS):
        shutil.copy(BACKEND / name, tmp_path)
    shutil.copytree(BACKEND / "ser", tmp_path / "ser", ignore=shutil.ignore_patterns("__pycache__"))
    program = "from setuptools.build_meta import prepare_metadata_for_build_wheel as make; make('.')"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True)
    (folder,) = tmp_path.glob("*.dist-info")
    about = Distribution.at(folder)
    asked = [Requirement(line) for line in about.requires]
    assert set(about.metadata.get_all("Provides-Extra")) == {"train", "dev"}
    for extra, files in {"": 1, "train": 2, "dev": 3}.items():
        installed = {normalised(one.name) for one in asked if not one.marker or one.marker.evaluate({"extra": extra})}
        wanted = [Requirement(line).name for file in list(LOCKS)[:files] for line in requirements(file)]
        assert installed == set(map(normalised, wanted)), extra


def test_the_package_takes_its_version_from_the_code():
    settings = tomllib.loads((BACKEND / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "ser.__version__"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", ser.__version__)


def test_setup_output_is_not_committed():
    ignored = (PROJECT / ".gitignore").read_text(encoding="utf-8").split()
    assert {"backend/.venv", "node_modules/", "frontend/dist/", "build/"} <= set(ignored)


@pytest.mark.parametrize("path", sorted((BACKEND / "ser").rglob("*.py")), ids=lambda path: path.name)
def test_every_module_has_a_docstring(path: Path):
    assert path.read_text(encoding="utf-8").startswith('"""')
