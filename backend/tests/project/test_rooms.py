"""The package's rooms and their import order; ``backend/README.md`` has a line for each."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SER = Path(__file__).resolve().parents[2] / "ser"
ROOMS = (
    ("core",),
    ("audio", "storage"),
    ("features",),
    ("models",),
    ("data", "inference"),
    ("evaluation",),
    ("training", "api"),
    ("cli",),
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
FOUND_BY_SCANNING = ("ser.models.recipes", "ser.data.corpora")  # their files do not import each other
FILES = sorted(path for room in LEVEL for path in (SER / room).rglob("*.py"))


def module(path: Path) -> str:
    """Returns the dotted module name of a file, and a package's name for its ``__init__.py``."""
    return ".".join(("ser", *path.relative_to(SER).with_suffix("").parts)).removesuffix(".__init__")


NAMES = {module(path) for path in FILES}


def imported(path: Path) -> set[str]:
    """Returns the dotted names of everything a file imports, however deep inside it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            names.update(below & NAMES or {node.module})
    return names


def test_every_room_has_a_line_in_the_readme():
    readme = (SER.parent / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in readme.splitlines() if line.endswith("|") and "| `ser/" in line]
    rows = [(level.strip(), name.strip()) for level, name in rows if level.strip().isdigit()]
    assert rows == [(str(level + 1), f"`ser/{name}/`") for name, level in LEVEL.items()]
    folders = {path.name for path in SER.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(LEVEL)


def room(name: str) -> str:
    return name.split(".")[1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SER)))
def test_a_file_imports_from_its_own_room_and_lower_ones(path: Path):
    own, level = room(module(path)), LEVEL[room(module(path))]
    used = {name for name in imported(path) if name.startswith("ser.")}
    assert not {name for name in used if room(name) != own and LEVEL[room(name)] >= level}
    for folder in FOUND_BY_SCANNING:
        if module(path).startswith(f"{folder}."):
            assert not {name for name in used if name.startswith(folder)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SER)))
def test_heavy_libraries_stay_in_their_rooms(path: Path):
    used = {name.split(".")[0] for name in imported(path)}
    if room(module(path)) != "api":
        assert not used & {"flask", "apiflask", "flask_cors", "werkzeug", "waitress"}
    if module(path) == "ser.data.corpus" or module(path).startswith("ser.data.corpora"):
        assert "torch" not in used


@pytest.mark.parametrize("own", LEVEL)
def test_no_import_cycle_inside_a_room(own: str):
    arrows = {name: imported(path) & NAMES for path in FILES if room(name := module(path)) == own}
    left = set(arrows)
    while free := {name for name in left if not arrows[name] & (left - {name})}:
        left -= free
    assert not left, f"these import each other: {sorted(left)}"
