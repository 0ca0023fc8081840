"""The package is a list of floors: a module imports only from lower ones (backend/README.md draws them)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SER = Path(__file__).resolve().parents[1] / "ser"
FLOORS = (
    ("errors", "labels"),
    ("settings", "prediction", "profile", "files", "journal", "limits", "programs"),
    ("audio", "download", "pages", "store", "exports"),
    ("decoder",),
    ("features", "speech", "augment", "nonspeech", "pretrained", "sessions", "profiles"),
    ("acoustics",),
    ("descriptors",),
    ("recipe", "corpus", "layers", "adaptation", "probe", "voice"),
    ("curves",),
    ("recipes", "corpora", "listing"),
    ("bank", "splits", "metrics", "calibration", "out_of_fold", "timeline", "figures", "attention"),
    ("checkpoint", "report", "portrait", "results", "dataset", "exploration"),
    ("answer", "inference"),
    ("predictor", "batches", "comparison"),
    ("heads",),
    ("caution", "distillation"),
    ("transfer",),
    ("training",),
    ("streaming", "batch", "evaluation", "experiment", "scoring"),
    ("api", "terminal"),
    ("cli",),
    ("__main__",),
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
MODULES = sorted(path for path in SER.rglob("*.py") if path != SER / "__init__.py")


def imported(path: Path) -> set[str]:
    """Returns the dotted names of everything a file imports, however deep inside it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module} | {f"{node.module}.{alias.name}" for alias in node.names})
    return names


def unit(path: Path) -> str:
    """The module or package on a floor that a file belongs to."""
    return path.relative_to(SER).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SER)))
def test_imports_point_down(path: Path):
    own = unit(path)
    used = {name.split(".")[1] for name in imported(path) if name.startswith("ser.")} & FLOOR.keys()
    assert own in FLOOR, f"{path.name} stands on no floor; add it to FLOORS and to backend/README.md"
    if own in ("recipes", "corpora"):
        assert own not in used, "a recipe imports no recipe and a corpus no corpus"
    upward = {name for name in used - {own} if FLOOR[name] >= FLOOR[own]}
    assert not upward, f"{own} (floor {FLOOR[own]}) imports {upward}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SER)))
def test_heavy_libraries_stay_in_their_rooms(path: Path):
    used = {name.split(".")[0] for name in imported(path)}
    if unit(path) != "api":
        assert not used & {"flask", "apiflask", "flask_cors", "werkzeug"}
    if unit(path) in ("corpora", "corpus"):
        assert "torch" not in used


def test_every_floor_is_drawn():
    text = (SER.parent / "README.md").read_text(encoding="utf-8")
    missing = {unit(path) for path in MODULES} - {name for name in FLOOR if f"{name}" in text}
    assert not missing
