"""Progress output of an evaluation, on a terminal and elsewhere."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

from rich.console import Console

from ser.cli.console import evaluation_progress
from ser.training.cross_validate import FoldDone

FOLDS = [
    FoldDone(seed=0, name="1", best_epoch=33, ua=0.5, clips=240, seconds=None, total=4),
    FoldDone(seed=0, name="2", best_epoch=21, ua=0.6, clips=239, seconds=75.0, total=4),
]


def watched(*, terminal: bool) -> tuple[str, str]:
    """The output of a two-fold evaluation while it runs, and what remains of it at the end."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=80, height=24)
    with evaluation_progress(console) as (on_fold, on_epoch):
        for fold in FOLDS:
            on_epoch(SimpleNamespace(number=7, validation_ua=0.4))
            on_fold(fold)
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.getvalue())
    return drawn, drawn[drawn.rindex("seed") :] if "seed" in drawn else ""


def test_a_terminal_shows_a_table_with_the_running_mean_and_remaining_time():
    drawn, left = watched(terminal=True)
    assert "fold 2: epoch 7, validation UA 40.0 %" in drawn
    rows = [line.split() for line in left.splitlines()]
    assert ["0", "1", "33", "50.0", "%", "240", "resumed"] in rows
    assert ["0", "2", "21", "60.0", "%", "239", "1:15"] in rows
    assert "2 of 4 folds, mean UA 55.0 %, about 2:30 left" in left


def test_without_a_terminal_each_fold_is_a_line(capsys):
    drawn, _ = watched(terminal=False)
    lines = capsys.readouterr().err.splitlines()
    assert drawn == ""
    assert lines == [
        "seed 0 fold 1: UA 50.0 % on 240 clips (epoch 33)",
        "seed 0 fold 2: UA 60.0 % on 239 clips (epoch 21, 1:15)",
    ]
