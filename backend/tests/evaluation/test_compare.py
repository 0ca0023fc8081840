"""Comparison of two evaluations on the same clips."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import wilcoxon

from ser.core.errors import ProtocolError
from ser.evaluation.compare import compare, write_comparison
from ser.evaluation.metrics_file import read_metrics, write_metrics
from ser.evaluation.out_of_fold import read_out_of_fold, write_rows
from ser.evaluation.summary import summarise
from tests.evaluation.test_html import check_page
from tests.evaluation.test_report import visible
from tests.evaluation.test_summary import LABELS, made_rows


def evaluation(
    folder: Path, rows: list[list[dict[str, str]]], labels: tuple[str, ...] = LABELS, **circumstances: str
) -> Path:
    """Writes a finished evaluation with the given rows for each seed."""
    files = [folder / f"out_of_fold_seed{seed}.csv" for seed in range(len(rows))]
    for file, own in zip(files, rows, strict=True):
        write_rows(file, own)
    metrics = summarise("ravdess", "groups", labels, [read_out_of_fold(file) for file in files])
    write_metrics(folder, replace(metrics, **{"recipe": "cnn1d", "command": "a test"} | circumstances))
    return folder


def with_accuracy(rows: list[dict[str, str]], right_share: float) -> list[dict[str, str]]:
    """The same clips with a given share of correct predictions."""
    draw = np.random.default_rng(5)
    wrong = {label: LABELS[n - 1] for n, label in enumerate(LABELS)}
    return [row | {"predicted": row["truth"] if draw.random() < right_share else wrong[row["truth"]]} for row in rows]


@pytest.fixture
def same(tmp_path: Path) -> Path:
    return evaluation(tmp_path / "same", [made_rows(0)])


def test_a_run_does_not_differ_from_itself(same):
    found = compare(same, same)
    assert found["interval"] == [0.0, 0.0] and found["p_value"] == 1.0 and not found["significant"]
    assert "within chance" in found["verdict"]
    assert found["figures"]["ua"]["difference"] == 0.0


def test_masked_figures_are_compared_where_both_have_them(tmp_path, same):
    fewer = [row for row in made_rows(0) if row["truth"] != "sad"]
    one = evaluation(tmp_path / "one", [fewer], LABELS[:2])
    found = compare(one, one)
    assert found["figures"]["ua_masked"]["a"] == read_metrics(one).ua_masked and list(found["figures"])[0] == "ua"
    assert "emotions of the corpus only" in visible(check_page(write_comparison(tmp_path / "page", found)))
    assert "ua_masked" not in compare(same, same)["figures"]


def test_a_clear_difference_is_significant_in_both_directions(tmp_path):
    poor = evaluation(tmp_path / "poor", [with_accuracy(made_rows(0), 0.3)])
    good = evaluation(tmp_path / "good", [with_accuracy(made_rows(0), 0.9)])
    found, turned = compare(poor, good), compare(good, poor)
    assert found["significant"] and found["verdict"].startswith("B is better than A by")
    assert turned["significant"] and turned["verdict"].startswith("A is better than B by")
    assert found["interval"][0] > 0 and turned["interval"] == pytest.approx(
        [-bound for bound in found["interval"][::-1]]
    )
    ua = found["figures"]["ua"]
    assert found["interval"][0] < ua["difference"] < found["interval"][1]
    assert ua["difference"] == pytest.approx(ua["b"] - ua["a"])
    assert found["p_value"] == pytest.approx(wilcoxon(list(found["speakers"].values())).pvalue)


def test_a_small_difference_is_within_chance(tmp_path, same):
    rows = made_rows(0)
    rows[3] |= {"predicted": rows[3]["truth"]}
    rows[4] |= {"predicted": "angry"}
    found = compare(same, evaluation(tmp_path / "other", [rows, rows]))
    assert not found["significant"] and "within chance" in found["verdict"]
    assert found["b"]["seeds"] == 2 and sum(abs(value) > 1e-9 for value in found["speakers"].values()) <= 2


def test_differences_are_those_of_the_means_over_seeds(tmp_path, same):
    good, poor = with_accuracy(made_rows(0), 0.9), with_accuracy(made_rows(0), 0.3)
    mixed = evaluation(tmp_path / "mixed", [good, poor])
    both = [compare(same, evaluation(tmp_path / name, [rows])) for name, rows in (("g", good), ("p", poor))]
    found = compare(same, mixed)
    for speaker, difference in found["speakers"].items():
        assert difference == pytest.approx(np.mean([one["speakers"][speaker] for one in both]))


def test_page_and_json_agree(tmp_path, same):
    other = evaluation(tmp_path / "other", [with_accuracy(made_rows(0), 0.9)], recipe="<b>other</b>")
    found = compare(same, other)
    words = visible(check_page(write_comparison(tmp_path / "out", found)))
    assert found["verdict"].replace("-", "") in words.replace("-", "")
    assert "&lt;b&gt;other" in words and "ECE" in words
    assert f"{100 * found['figures']['wa']['b']:.1f} %" in words
    assert json.loads((tmp_path / "out" / "compare.json").read_text(encoding="utf-8")) == found


def test_a_leaky_evaluation_gives_a_warning(tmp_path, same):
    rows = [row | {"fold": "1", "best_epoch": "7"} for row in made_rows(0)]
    leaky = evaluation(tmp_path / "leaky", [rows], protocol="random", speaker_independent="")
    found = compare(same, leaky)
    assert (found["a"]["leaky"], found["b"]["leaky"]) == (False, True)
    assert "B is leaky" in visible(check_page(write_comparison(tmp_path / "out", found)))


def changed(rows: list[dict[str, str]], how: str) -> list[dict[str, str]]:
    if how == "fewer clips":
        return rows[:-1]
    if how == "another name":
        return [*rows[:-1], rows[-1] | {"file": "new.wav"}]
    return [*rows[:-1], rows[-1] | {"truth": next(label for label in LABELS if label != rows[-1]["truth"])}]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("fewer clips", "A tests 90 clips, B 89, and 1 are in only one of them, e.g. 89.wav of ravdess/08"),
        ("another name", "2 are in only one of them"),
        ("another truth", "1 clips have another true label in B, e.g. 89.wav"),
    ],
)
def test_different_clips_are_refused_and_named(tmp_path, same, how, message):
    with pytest.raises(ProtocolError, match=message):
        compare(same, evaluation(tmp_path / "other", [changed(made_rows(0), how)]))


def test_different_emotions_and_corpora_are_refused(tmp_path, same):
    rows = [row | {"logit_calm": "0.0"} for row in made_rows(0)]
    with pytest.raises(ProtocolError, match="A has 3 emotions, B 4 .only one has calm"):
        compare(same, evaluation(tmp_path / "labels", [rows], (*LABELS, "calm")))
    other = evaluation(tmp_path / "corpus", [made_rows(0)])
    write_metrics(other, replace(read_metrics(other), corpus="crema-d"))
    with pytest.raises(ProtocolError, match="corpus ravdess, B on crema-d"):
        compare(same, other)
    with pytest.raises(ProtocolError, match="no finished evaluation"):
        compare(same, tmp_path)
