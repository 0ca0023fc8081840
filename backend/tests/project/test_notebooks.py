"""The notebooks run from top to bottom."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

BACKEND = Path(__file__).resolve().parents[2]
NOTEBOOKS = BACKEND / "notebooks"


@pytest.fixture
def execute(monkeypatch: pytest.MonkeyPatch):
    """Runs a notebook in its own folder; returns all output of its cells."""
    monkeypatch.setenv("PYTHONPATH", str(BACKEND))

    def run(name: str) -> str:
        notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
        assert all(not cell.get("outputs") for cell in notebook.cells), "commit notebooks without their output"
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
        return str([cell.get("outputs") for cell in notebook.cells])

    return run


def test_predict_and_look(execute):
    shown = execute("predict_and_look.ipynb")
    assert "text/html" in shown and "of speech in" in shown
    assert "on unseen speakers of ravdess" in shown
    assert shown.count(".wav: ") >= 3


@pytest.mark.corpus
def test_train_and_evaluate(execute):
    shown = execute("train_and_evaluate.ipynb")
    assert "UA " in shown and "chance 14.3 %" in shown
    assert "logit_angry" in shown and "metrics.json" in shown
