"""Metrics of an evaluation computed from its out-of-fold predictions."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from ser.core.errors import ProtocolError
from ser.evaluation.metrics import NO_SPEECH, expected_calibration_error, score
from ser.evaluation.metrics_file import Metrics, read_metrics, write_metrics
from ser.evaluation.out_of_fold import age_group, read_out_of_fold, write_rows
from ser.evaluation.summary import current, refresh, summarise, summarise_held_out
from ser.models.calibration import COVERAGES, fit_temperature

LABELS = ("angry", "happy", "sad")


def made_rows(seed: int, folds: int = 3, **columns: str) -> list[dict[str, str]]:
    """90 clips of 9 speakers, whose logits are right more often than not."""
    draw = np.random.default_rng(seed)
    rows = []
    for clip in range(90):
        speaker, truth = clip % 9, int(draw.integers(3))
        logits = draw.normal(0, 1, 3) + 1.5 * np.eye(3)[truth]
        rows.append(
            {
                "file": f"{clip}.wav",
                "speaker": f"ravdess/{speaker:02d}",
                "sex": "male" if speaker % 2 else "female",
                "age": str(20 + speaker),
                "race": "",
                "fold": str(speaker % folds),
                "best_epoch": str(10 + speaker % folds),
                "truth": LABELS[truth],
                "predicted": NO_SPEECH if clip == 0 else LABELS[int(logits.argmax())],
            }
            | columns
            | {f"logit_{label}": f"{value:.4f}" for label, value in zip(LABELS, logits, strict=True)}
        )
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished evaluation with two seeds."""
    for seed in range(2):
        write_rows(tmp_path / f"out_of_fold_seed{seed}.csv", made_rows(seed))
    runs = [read_out_of_fold(tmp_path / f"out_of_fold_seed{seed}.csv") for seed in range(2)]
    write_metrics(tmp_path, replace(summarise("ravdess", "groups", LABELS, runs), command="a test"))
    return tmp_path


def test_written_predictions_are_read_back(tmp_path):
    file = tmp_path / "out_of_fold_seed0.csv"
    rows = made_rows(0, race='"mixed", they said')
    write_rows(file, rows)
    run = read_out_of_fold(file)
    assert run.truth == [row["truth"] for row in rows] and run.files == [row["file"] for row in rows]
    assert run.groups["race"][0] == '"mixed", they said' and run.groups["age"][0] == "20-29"
    assert run.epochs == {"0": 10, "1": 11, "2": 12}
    assert run.logits[3].tolist() == [float(rows[3][f"logit_{label}"]) for label in LABELS]


def test_csvs_without_ages_and_races_are_read(tmp_path):
    rows = [{name: text for name, text in row.items() if name not in ("age", "race")} for row in made_rows(0)]
    write_rows(tmp_path / "old.csv", rows)
    assert read_out_of_fold(tmp_path / "old.csv").groups.keys() == {"sex"}


def test_plain_rows_keep_their_exact_bytes(tmp_path):
    write_rows(tmp_path / "rows.csv", [{"file": "a.wav", "race": ""}, {"file": "b.wav", "race": "Asian"}])
    assert (tmp_path / "rows.csv").read_bytes() == b"file,race\na.wav,\nb.wav,Asian\n"


def test_ages_are_grouped_by_decade():
    assert [age_group(age) for age in ("20", "29", "30", "", None)] == ["20-29", "20-29", "30-39", "unknown", "unknown"]


def test_calibration_error_is_cross_fitted_and_the_pooled_temperature_ships(folder):
    metrics, runs = current(folder)
    errors = []
    for run in runs:
        targets = np.array([LABELS.index(label) for label in run.truth])
        folds, confidence = np.array(run.folds), np.empty(len(targets))
        for fold in set(run.folds):
            own = folds == fold
            temperature = fit_temperature(run.logits[~own], targets[~own])
            confidence[own] = softmax(run.logits[own] / temperature, axis=1).max(axis=1)
        errors.append(expected_calibration_error(confidence, np.array(run.predicted) == np.array(run.truth)))
    assert metrics.ece == pytest.approx(np.mean(errors))
    logits = np.concatenate([run.logits for run in runs])
    targets = np.array([LABELS.index(label) for run in runs for label in run.truth])
    assert metrics.temperature == pytest.approx(fit_temperature(logits, targets))


def test_a_protocol_of_one_fold_is_cross_fitted_by_speaker(tmp_path):
    write_rows(tmp_path / "one.csv", made_rows(0, folds=1))
    one = summarise("ravdess", "random", LABELS, [read_out_of_fold(tmp_path / "one.csv")])
    by_speaker = [row | {"fold": row["speaker"]} for row in made_rows(0, folds=1)]
    write_rows(tmp_path / "nine.csv", by_speaker)
    assert one.ece == summarise("ravdess", "loso", LABELS, [read_out_of_fold(tmp_path / "nine.csv")]).ece


def test_predictions_on_an_unseen_corpus_are_not_calibrated(tmp_path):
    write_rows(tmp_path / "one.csv", made_rows(0, folds=3))
    foreign = summarise("ravdess", "cross", LABELS, [read_out_of_fold(tmp_path / "one.csv")])
    assert foreign.ece == foreign.ece_before


def test_thresholds_for_an_unseen_corpus_come_from_other_corpora(tmp_path):
    file = tmp_path / "rows.csv"
    write_rows(file, made_rows(0, folds=1))
    alone = summarise("ravdess", "cross", LABELS, [read_out_of_fold(file)])
    assert alone.sets == {}
    for threshold, coverage in ((0.0, 1.0), (1.0, alone.wa)):  # every emotion; the likeliest only
        columns = {f"threshold_{percent}": str(threshold) for percent in COVERAGES}
        write_rows(file, [row | columns | {"predicted": _likeliest(row)} for row in made_rows(0, folds=1)])
        found = summarise("ravdess", "cross", LABELS, [read_out_of_fold(file)])
        assert found.sets["90"]["coverage"] == pytest.approx(coverage, abs=0.012)


def _likeliest(row: dict[str, str], labels: tuple[str, ...] = LABELS) -> str:
    return max(labels, key=lambda label: float(row[f"logit_{label}"]))


def impossible_rows() -> list[dict[str, str]]:
    """A corpus with three emotions, and one without sad whose clips often look sad."""
    rows = [row | {"corpus": "one"} for row in made_rows(0, folds=3)]
    other = [row | {"corpus": "two", "logit_sad": "1.0"} for row in made_rows(1, folds=3) if row["truth"] != "sad"]
    answered = [row | ({} if row["predicted"] == NO_SPEECH else {"predicted": _likeliest(row)}) for row in other]
    return rows + answered


def test_an_emotion_that_the_corpus_lacks_is_a_wrong_answer(tmp_path):
    rows = [row for row in impossible_rows() if row["corpus"] == "two"]
    write_rows(tmp_path / "two.csv", [row | {"temperature": "2.0"} for row in rows])
    run = read_out_of_fold(tmp_path / "two.csv")
    metrics = summarise("two", "joint", ["angry", "happy"], [run])
    assert metrics.labels == ["angry", "happy"] and metrics.answers == list(LABELS)
    assert "sad" in run.predicted and metrics.ua == score(run.truth, run.predicted, ["angry", "happy"]).ua
    confidence = softmax(run.logits / 2.0, axis=1).max(axis=1)
    right = np.array(run.predicted) == np.array(run.truth)
    assert metrics.ece == pytest.approx(expected_calibration_error(confidence, right))
    assert metrics.risk_coverage[-1] == [1.0, pytest.approx(right.mean(), abs=1e-6)]
    targets = np.array([LABELS.index(label) for label in run.truth])
    assert metrics.temperature == pytest.approx(fit_temperature(run.logits, targets))


def test_the_masked_figure_stands_beside_the_served_one(tmp_path):
    rows = impossible_rows()
    write_rows(tmp_path / "both.csv", rows)
    write_rows(tmp_path / "two.csv", [row for row in rows if row["corpus"] == "two"])
    runs = {name: read_out_of_fold(tmp_path / f"{name}.csv") for name in ("both", "two")}

    def by_hand(names: set[str], labels: list[str]) -> float:
        own = [row for row in rows if row["corpus"] in names]
        answers = []
        for row in own:
            best = _likeliest(row, LABELS if row["corpus"] == "one" else LABELS[:2])
            answers.append(NO_SPEECH if row["predicted"] == NO_SPEECH else best)
        return score([row["truth"] for row in own], answers, labels).ua

    two = summarise("two", "joint", ["angry", "happy"], [runs["two"]] * 2)
    assert two.ua < two.ua_masked == pytest.approx(by_hand({"two"}, ["angry", "happy"])) and two.ua_masked_std == 0
    both = summarise("one+two", "joint", LABELS, [runs["both"]])
    assert both.ua_masked == pytest.approx(by_hand({"one", "two"}, list(LABELS)))
    write_rows(tmp_path / "one.csv", [row for row in rows if row["corpus"] == "one"])
    one = summarise("one", "joint", LABELS, [read_out_of_fold(tmp_path / "one.csv")])
    assert one.ua_masked is None and one.ua_masked_std is None and one.ua_shared is None


def test_shared_labels_count_calm_as_neutral(tmp_path):
    logits = {"angry": (0.0, 0.0, 3.0, 0.0), "calm": (1.0, 0.9, 0.0, 0.9), "neutral": (0.0, 0.9, 0.0, 0.9)}
    truth = ("neutral", "calm", "angry", "happy")
    rows = [
        {"file": f"{clip}.wav", "speaker": "a/1", "fold": "a", "best_epoch": "1", "truth": true, "predicted": "happy"}
        | {f"logit_{label}": str(values[clip]) for label, values in logits.items()}
        | {"logit_happy": "1.2"}
        for clip, true in enumerate(truth)
    ]
    write_rows(tmp_path / "rows.csv", rows)
    run = read_out_of_fold(tmp_path / "rows.csv")
    metrics = summarise("a", "cross", ["angry", "calm", "happy", "neutral"], [run], ["angry", "neutral"])
    assert metrics.shared_labels == ["angry", "neutral"] and metrics.ua == 0.25
    assert metrics.ua_shared == 1.0 and metrics.ua_shared_std == 0.0  # the happy clip does not count
    alone = summarise("a", "cross", ["angry", "calm", "happy", "neutral"], [run], run.classes)
    assert alone.ua_shared is None


def test_a_class_without_training_clips_is_wrong_but_not_fitted_to(tmp_path):
    rows = made_rows(0)
    lacking = [row | {"logit_sad": "-inf"} for row in rows]
    lacking = [row | {"predicted": _likeliest(row)} for row in lacking]
    write_rows(tmp_path / "all.csv", lacking)
    write_rows(tmp_path / "some.csv", [row for row in lacking if row["truth"] != "sad"])
    run = read_out_of_fold(tmp_path / "all.csv")
    metrics = summarise("ravdess", "cross", LABELS, [run])
    some = summarise("ravdess", "cross", ["angry", "happy"], [read_out_of_fold(tmp_path / "some.csv")])
    assert metrics.untrained == ["sad"] and metrics.recalls["sad"] == 0.0 and some.untrained == []
    assert metrics.temperature == pytest.approx(some.temperature)
    assert metrics.sets["90"]["threshold"] == pytest.approx(some.sets["90"]["threshold"])
    assert metrics.sets["90"]["coverage"] < some.sets["90"]["coverage"]
    assert metrics.ua == pytest.approx(some.ua * 2 / 3)


def test_sure_answers_follow_the_threshold_that_is_served(tmp_path):
    rows = made_rows(0)  # the first clip has no speech
    for name, least in (("usual", 0.5), ("strict", 0.8)):
        write_rows(tmp_path / f"{name}.csv", [row | {"temperature": "1.0", "unsure_below": str(least)} for row in rows])
        run = read_out_of_fold(tmp_path / f"{name}.csv")
        metrics = summarise("ravdess", "groups", LABELS, [run])
        sure = (softmax(run.logits, axis=1).max(axis=1) >= least) & (np.arange(90) > 0)
        right = np.array(run.predicted) == np.array(run.truth)
        assert metrics.answered == pytest.approx(sure.mean())
        assert metrics.answered_accuracy == pytest.approx(right[sure].mean())
    write_rows(tmp_path / "absent.csv", [row | {"temperature": "1.0"} for row in rows])
    usual = summarise("ravdess", "groups", LABELS, [read_out_of_fold(tmp_path / "usual.csv")])
    assert summarise("ravdess", "groups", LABELS, [read_out_of_fold(tmp_path / "absent.csv")]) == usual


def test_clips_of_unknown_speakers_count_as_separate_speakers(tmp_path):
    nobody = [row | {"speaker": "files/"} for row in made_rows(0, folds=1)]
    write_rows(tmp_path / "one.csv", nobody)
    metrics = summarise("files", "random", LABELS, [read_out_of_fold(tmp_path / "one.csv")])
    low, high = metrics.interval
    assert low < metrics.ua < high and 0 < metrics.ece < 1
    assert metrics.per_speaker.keys() == {"files/"}


def test_figures_of_groups_and_classes_are_means_over_seeds(folder):
    metrics, runs = current(folder)
    female = []
    for run in runs:
        own = [i for i, sex in enumerate(run.groups["sex"]) if sex == "female"]
        female.append(score([run.truth[i] for i in own], [run.predicted[i] for i in own], LABELS).ua)
    assert metrics.by_sex["female"] == {"ua": pytest.approx(np.mean(female)), "clips": 50}
    assert metrics.by_age.keys() == {"20-29"} and metrics.by_race == {}
    assert len(metrics.per_speaker) == 9
    precisions = [score(run.truth, run.predicted, LABELS).precisions["sad"] for run in runs]
    assert metrics.per_class["sad"]["precision"] == pytest.approx(np.mean(precisions))
    assert metrics.risk_coverage[-1] == [1.0, pytest.approx(metrics.wa, abs=1e-6)]
    assert metrics.no_speech == 2 and sum(clips for _, _, clips in metrics.reliability) == 180


def test_metrics_can_be_recomputed_and_keep_other_fields(folder):
    before = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    (folder / "metrics.json").write_text(
        json.dumps({key: before[key] for key in ("corpus", "protocol", "labels", "seeds", "command")}), encoding="utf-8"
    )
    refresh(folder)
    assert json.loads((folder / "metrics.json").read_text(encoding="utf-8")) == before


@pytest.mark.parametrize("broken", ["missing", "not json", "no predictions", "half a row"])
def test_a_folder_without_a_finished_evaluation_is_refused(folder, broken):
    if broken == "missing":
        (folder / "metrics.json").unlink()
    elif broken == "not json":
        (folder / "metrics.json").write_text("{", encoding="utf-8")
    elif broken == "no predictions":
        (folder / "out_of_fold_seed1.csv").unlink()
    else:
        with (folder / "out_of_fold_seed1.csv").open("a", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerow(["half.wav"])
    with pytest.raises(ProtocolError, match="no finished evaluation"):
        refresh(folder)


def test_ranking_by_intensity(tmp_path):
    rows = made_rows(0)
    for clip, row in enumerate(rows):
        strong = clip % 2 == 1
        row |= {
            "intensity": "strong" if strong else "normal",
            "strength": f"{0.6 + clip % 3 * 0.1 if strong else 0.5:.4f}",
        }
    write_rows(tmp_path / "right.csv", rows)
    write_rows(tmp_path / "none.csv", [row | {"intensity": ""} for row in rows])
    write_rows(tmp_path / "wrong.csv", [row | {"strength": f"{1 - float(row['strength']):.4f}"} for row in rows])
    found = {
        name: summarise("ravdess", "groups", LABELS, [read_out_of_fold(tmp_path / f"{name}.csv")])
        for name in ("right", "wrong", "none")
    }
    assert found["right"].intensity == {"any": 1.0, "same": 1.0}
    assert found["wrong"].intensity == {"any": 0.0, "same": 0.0}
    assert found["none"].intensity is None


def held_out_rows() -> list[dict[str, str]]:
    """Predictions of one model, with its temperature and thresholds."""
    own = {"temperature": "1.5"} | {f"threshold_{percent}": "0.1" for percent in COVERAGES}
    return [row | own for row in made_rows(0, folds=1)]


def test_held_out_clips_use_the_model_s_temperature_and_thresholds(tmp_path):
    write_rows(tmp_path / "rows.csv", held_out_rows())
    run = read_out_of_fold(tmp_path / "rows.csv")
    metrics = summarise_held_out("ravdess", "held-out speakers", LABELS, run)
    right = np.array(run.predicted) == np.array(run.truth)
    assert metrics.ua == score(run.truth, run.predicted, LABELS).ua and metrics.speaker_independent is True
    assert metrics.temperature == 1.5
    assert metrics.ece == pytest.approx(
        expected_calibration_error(softmax(run.logits / 1.5, axis=1).max(axis=1), right)
    )
    held = softmax(run.logits / 1.5, axis=1) >= 0.1
    targets = [LABELS.index(label) for label in run.truth]
    assert metrics.sets["90"]["threshold"] == 0.1
    assert metrics.sets["90"]["coverage"] == pytest.approx(held[np.arange(90), targets].mean(), abs=0.02)
    assert not summarise_held_out("files", "held-out clips, speakers unknown", LABELS, run).speaker_independent


def test_one_schema_is_written_and_read(folder):
    record = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    metrics = read_metrics(folder)
    assert record["schema"] == 1 and metrics.to_json() == record and Metrics.from_json(record) == metrics
    without = {name: value for name, value in record.items() if name != "schema"}  # as before that field existed
    assert Metrics.from_json(without | {"added later": 1}) == metrics


@pytest.mark.parametrize(("change", "why"), [({"schema": 2}, "schema 2, expected 1"), ({"ua": None}, "missing ua")])
def test_metrics_of_another_schema_are_refused(folder, change, why):
    record = json.loads((folder / "metrics.json").read_text(encoding="utf-8")) | change
    record = {name: value for name, value in record.items() if name not in change or value is not None}
    (folder / "metrics.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ProtocolError, match=why):
        read_metrics(folder)
