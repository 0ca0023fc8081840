"""The HTML report of an evaluation."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ser.core.settings import PROJECT
from ser.evaluation.metrics_file import Metrics, read_metrics, write_metrics
from ser.evaluation.out_of_fold import read_out_of_fold, write_rows
from ser.evaluation.report import write_report
from ser.evaluation.summary import PREDICTIONS_FILE, refresh, summarise, summarise_held_out
from tests.evaluation.test_html import check_page
from tests.evaluation.test_summary import LABELS, held_out_rows, made_rows

SHIPPED = sorted(f for kept in ("evaluation", "benchmarks") for f in (PROJECT / "weights").glob(f"*/{kept}/*"))
OF_EACH_PROTOCOL = {folder.name.rsplit("-", 2)[1]: folder for folder in SHIPPED}  # a page takes seconds to render
PICTURES = ("confusion.png", "reliability.png", "risk_coverage.png", "speakers.png")


def evaluation(folder: Path, protocol: str = "groups", seeds: int = 2, **columns: str) -> Metrics:
    """Writes a finished evaluation and returns its figures."""
    files = [folder / f"out_of_fold_seed{seed}.csv" for seed in range(seeds)]
    for seed, file in enumerate(files):
        write_rows(file, made_rows(seed, **columns))
    metrics = summarise("ravdess", protocol, LABELS, [read_out_of_fold(file) for file in files])
    metrics = replace(metrics, recipe="cnn1d", command="python3 -m backend evaluate --seeds 2")
    write_metrics(folder, metrics)
    return metrics


def visible(page: str) -> str:
    """The visible text of a page as one line."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_page_shows_the_figures_and_how_to_reproduce_them(tmp_path):
    metrics = evaluation(tmp_path)
    words = visible(check_page(write_report(tmp_path, metrics)))
    for share in (metrics.ua, *metrics.interval, metrics.wa, metrics.f1, metrics.weighted_f1):
        assert f"{100 * share:.1f} %" in words
    for share in (metrics.ece_before, metrics.ece, metrics.ece_floor, metrics.risk_coverage[29][1]):
        assert f"{100 * share:.1f} %" in words
    for text in (
        "cnn1d on RAVDESS speech",
        "5 seeded folds of unseen speakers",
        "python3 -m backend evaluate --seeds 2",
    ):
        assert text in words
    assert "95 % interval over 9 speakers" in words and "Mean over 2 seeds." in words
    assert "By sex" in words and "By age" in words and "20-29" in words and "By race" not in words
    assert "2 of 180 predictions" in words


def test_figures_with_fewer_emotions_stand_beside_the_served_ones(tmp_path):
    served = evaluation(tmp_path)
    words = visible(check_page(write_report(tmp_path, served)))
    assert "the likeliest of all 3 emotions" in words and "fewer emotions" not in words
    other = {"ua_masked": 0.721, "ua_masked_std": 0.012, "ua_shared": 0.834, "ua_shared_std": 0.0}
    found = replace(served, **other, shared_labels=["angry", "sad"], untrained=["happy"])
    words = visible(check_page(write_report(tmp_path, found)))
    assert f"{100 * served.ua:.1f} %" in words and "emotions of the corpus only 72.1 % ± 1.2" in words
    assert "emotions that all corpora share (angry, sad) 83.4 % ± 0.0" in words
    assert "Without training clips: happy. No other corpus has it" in words


def test_plots_are_written_next_to_the_page(tmp_path):
    write_report(tmp_path, evaluation(tmp_path))
    for name in PICTURES:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_only_a_leaky_protocol_gives_a_warning(tmp_path):
    assert "Leaky" not in check_page(write_report(tmp_path, evaluation(tmp_path)))
    words = visible(check_page(write_report(tmp_path, evaluation(tmp_path, "random", seeds=1))))
    assert "Leaky: these speakers are also in the training data." in words and "(UA), LEAKY" in words


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        ("held-out speakers", "The temperature was fitted on the validation speakers"),
        ("held-out clips, speakers unknown", "Leaky: the speakers are unknown."),
    ],
)
def test_a_training_run_is_reported_like_an_evaluation(tmp_path, protocol, expected):
    write_rows(tmp_path / PREDICTIONS_FILE, held_out_rows())
    metrics = summarise_held_out("ravdess", protocol, LABELS, read_out_of_fold(tmp_path / PREDICTIONS_FILE))
    metrics = replace(metrics, recipe="cnn1d", command="train", seed=0, best_epoch=10, epochs=[], tested_on=["a"])
    write_metrics(tmp_path, metrics)
    assert refresh(tmp_path) == metrics
    words = visible(check_page(write_report(tmp_path, metrics)))
    assert expected in words and "cnn1d on RAVDESS speech" in words and "1.50, the model" in words
    assert "predictions.csv" in words and "a fifth of the" in words


def test_names_from_files_are_escaped(tmp_path):
    page = check_page(write_report(tmp_path, evaluation(tmp_path, race="<script>alert(1)</script>")))
    assert "&lt;script&gt;alert(1)" in page


def test_the_report_of_a_run_is_reproducible(tmp_path):
    metrics = evaluation(tmp_path)
    first = write_report(tmp_path, metrics).read_bytes()
    assert write_report(tmp_path, read_metrics(tmp_path)).read_bytes() == first


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: f"{folder.parts[-3]}-{folder.name}")
def test_shipped_figures_follow_from_shipped_predictions(folder, tmp_path):
    for file in (*folder.glob("*.csv"), folder / "metrics.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    kept, metrics = read_metrics(folder), refresh(tmp_path)
    assert read_metrics(tmp_path) == metrics
    for name in ("ua", "ece", "ece_before", "temperature", "answered"):
        assert getattr(metrics, name) == pytest.approx(getattr(kept, name), abs=1e-6)


@pytest.mark.parametrize("folder", OF_EACH_PROTOCOL.values(), ids=list(OF_EACH_PROTOCOL))
def test_shipped_figures_make_a_report(folder, tmp_path):
    check_page(write_report(tmp_path, read_metrics(folder)))
