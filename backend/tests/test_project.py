"""Rules of the repository that no tool checks: what is pinned, and what may not stand in any file."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

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
# written in parts, so that this file passes its own tests; "someone" is who made-up examples are about
HOME_FOLDERS = re.compile(r"(?<![\w.<}])/(wo" + r"rk|root|home/(?!someone)\w+|Users/(?!someone)\w+|opt|tm" + "p)/")
REGISTRIES = [f"{name}.org" for name in ("pypi", "files.python" + "hosted", "registry.npm" + "js", "deb.deb" + "ian")]
REGISTRIES += ["download.py" + "torch.org", "registry.npm" + "js.com", "registry.yarn" + "pkg.com", "docker" + ".io"]


def project_files() -> list[Path]:
    """Every text file that belongs to the project; what set-up, builds and downloads make is left out."""
    found = []
    for folder, names, files in os.walk(PROJECT):
        at = Path(folder)
        names[:] = [name for name in names if name not in MADE and at / name != PROJECT / "data"]
        found += [at / name for name in files if Path(name).suffix in TEXT]
    return found


FILES = project_files()


def matches(pattern: re.Pattern[str]) -> list[str]:
    """Returns "file: match" for every file that a pattern is found in."""
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


def test_the_project_is_seen():
    names = {str(path.relative_to(PROJECT)) for path in FILES}
    assert {os.path.join("backend", "ser", "core", "errors.py"), os.path.join("backend", "requirements.lock")} <= names


def test_no_file_names_a_folder_of_some_machine():
    assert matches(HOME_FOLDERS) == []


@pytest.mark.parametrize("text", ["see /ho" + "me/anna/x", "'/wo" + "rk/y'", "(/tm" + "p/z)", "/ro" + "ot/.cache"])
def test_such_a_folder_would_be_found(text: str):
    assert HOME_FOLDERS.search(text)


@pytest.mark.parametrize("text", ["https://host/work/x", "<Route path=work/>", "frontend/work/x", "/api/v1/x"])
def test_other_paths_are_left_alone(text: str):
    assert not HOME_FOLDERS.search(text)


def test_no_file_names_a_registry():
    assert matches(re.compile("|".join(map(re.escape, REGISTRIES)))) == []


# How keys look that are worth something: of clouds, forges, chats, a private key, a password in an address or in code.
SECRETS = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|github_pat_\w{22}|glpat-[\w-]{20}|xox[abprs]-\w{10}|hf_[A-Za-z]{34}|AIza[\w-]{35}"
    r"|sk-[A-Za-z0-9_-]{32}|-----BEGIN [A-Z ]*PRIVATE KEY-----|Bearer [\w-]{32}"
    r"|://\w+:(?!PASSWORD)[^\s@/:{}]+@(?!127\.)[\w.]+|(?i:(password|secret|api_?key|token)\s*[:=]\s*[\"'][\w+/-]{16,}[\"'])"
)


def test_no_file_holds_a_secret():
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
def test_a_secret_would_be_found(text: str):
    assert SECRETS.search(text)


def test_only_ci_knows_where_the_shared_folder_is():
    allowed = {os.path.join(".ci", "run")}
    naming = {line.split(":")[0] for line in matches(re.compile(re.escape("../" + "shared")))}
    assert naming <= allowed


def test_every_direct_dependency_is_pinned():
    pinned = {normalised(line.split("==")[0]) for line in requirements("requirements.lock")}
    direct = {normalised(re.split(r"[=<>~! \[]", line)[0]) for line in requirements("requirements.txt")}
    assert direct and direct <= pinned


def test_the_lock_pins_exactly_and_is_sorted():
    lines = requirements("requirements.lock")
    names = [normalised(line.split("==")[0]) for line in lines]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.!]+( ; .+)?", line)] == []
    assert names == sorted(names)
    assert len(names) == len(set(names))


def test_torch_is_pinned_as_every_index_has_it():
    assert "torch==2.13.0" in requirements("requirements.lock")


def test_the_lock_allows_what_the_requirements_ask():
    pins = dict(line.split(" ;")[0].strip().split("==") for line in requirements("requirements.lock"))
    asked = {normalised(name): version for name, version in pins.items()}
    assert asked["av"].startswith("18.") and asked["librosa"].startswith("0.11.") and asked["flask"].startswith("3.")


def test_the_package_takes_its_version_from_the_code():
    settings = tomllib.loads((BACKEND / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "ser.__version__"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", ser.__version__)


def test_what_setup_makes_is_not_committed():
    ignored = (PROJECT / ".gitignore").read_text(encoding="utf-8").split()
    assert {"backend/.venv", "node_modules/", "frontend/dist/", "build/"} <= set(ignored)


@pytest.mark.parametrize("path", sorted((BACKEND / "ser").rglob("*.py")), ids=lambda path: path.name)
def test_every_module_says_what_it_owns(path: Path):
    assert path.read_text(encoding="utf-8").startswith('"""')
