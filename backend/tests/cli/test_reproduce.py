"""The ``reproduce`` command: every shipped model has its steps, and a small model is made again."""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from ser.cli import app
from ser.cli.reproduce import parse
from ser.core.errors import ModelError, SettingsError
from ser.core.settings import PROJECT
from ser.data.corpus import get_corpus
from ser.evaluation.metrics_file import read_metrics
from ser.evaluation.reproduction import SHIPPED_FOLDERS, Step, compare_figures, describe_other_clips, read_steps
from ser.models.checkpoint import list_models
from ser.models.recipe import find_recipes, get_recipe
from ser.training import cross_validate
from tests.tools.command_line import ser

WEIGHTS = PROJECT / "weights"
MODELS = [model.name for model in list_models(WEIGHTS)]
INTERRUPTED = 130
EMOTION_CODES = {"angry": "05", "happy": "03", "sad": "04"}
LABELS = "--recipe mlp --labels angry,happy,sad"
STEPS = {
    "evaluations": [
        {"name": "groups", "options": f"{LABELS} --protocol groups --i-have-looked", "keep_as": "evaluation"},
        {"name": "random", "options": f"{LABELS} --protocol random", "keep_as": "evaluation"},
    ],
    "train": LABELS,
}


def recorded(metrics_file: Path) -> list[str]:
    """Words of the command that made an evaluation, without its output folder."""
    words = shlex.split(json.loads(metrics_file.read_text(encoding="utf-8"))["command"])
    at = words.index("--out")
    return words[3:at] + words[at + 2 :]


@pytest.mark.parametrize("name", MODELS)
def test_every_shipped_evaluation_is_made_by_a_step(name):
    steps = read_steps(WEIGHTS / name)
    for kept in SHIPPED_FOLDERS:
        options = [[step.command, *step.options] for step in steps if step.keep_as == kept]
        shipped = [recorded(file) for file in (WEIGHTS / name).glob(f"{kept}/*/metrics.json")]
        assert all(words in options for words in shipped) and all(words in shipped for words in options)


@pytest.mark.parametrize("name", MODELS)
def test_the_options_of_every_step_are_those_of_its_command(name):
    config = json.loads((WEIGHTS / name / "config.json").read_text(encoding="utf-8"))
    for step in read_steps(WEIGHTS / name):
        assert parse(step)["recipe"] == config["recipe"]
    assert sorted(parse(step)["without"] or ()) == config["training"]["without"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"train": None}, "cannot be read"),
        ({"evaluations": []}, "keep_as"),
        ({"evaluations": [STEPS["evaluations"][0]] * 2}, "different names"),
        ({"evaluations": [STEPS["evaluations"][0] | {"name": "../x"}]}, "different names"),
        ({"evaluations": [STEPS["evaluations"][0] | {"keep_as": "benchmarks"}]}, "keep_as"),
        ({"train": f"{LABELS} --out x"}, "--out"),
    ],
)
def test_an_invalid_list_of_steps_is_refused(change, told, tmp_path):
    (tmp_path / "reproduce.json").write_text(json.dumps(STEPS | change), encoding="utf-8")
    with pytest.raises(ModelError, match=told):
        read_steps(tmp_path)


def run(*words: str) -> int:
    """Runs a command of the command line in this process and returns its exit code."""
    return app(words, standalone_mode=False) or 0


def prepare(patched: pytest.MonkeyPatch, root: Path) -> None:
    """Has corpora, models and cached features in a folder, and the smallest training of a recipe."""
    for name in ("corpora", "weights", "cache"):
        patched.setenv(f"SER_{name.upper()}", str(root / name))
    recipe = get_recipe("mlp")
    training = replace(recipe.training, epochs=2, patience=2, copies=0)
    patched.setitem(find_recipes(), "mlp", replace(recipe, training=training))


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """A folder with a corpus, five actors of RAVDESS who speak with the voices of the samples, and a model of it."""
    root = tmp_path_factory.mktemp("original")
    for actor, (emotion, code) in itertools.product(range(1, 6), EMOTION_CODES.items()):
        clip, rate = soundfile.read(PROJECT / "frontend" / "public" / "samples" / f"{emotion}.wav")
        file = root / "corpora" / "ravdess" / f"Actor_{actor:02d}" / f"03-01-{code}-01-01-01-{actor:02d}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, clip[actor * 800 :], rate)
    with pytest.MonkeyPatch.context() as patched:
        prepare(patched, root)
        runs = []
        for step in STEPS["evaluations"]:
            runs += ["--evaluation", str(root / step["name"])]
            run("evaluate", *step["options"].split(), "--out", runs[-1])
        run("train", *STEPS["train"].split(), *runs, "--out", str(root / "weights" / "small"))
    (root / "weights" / "small" / "reproduce.json").write_text(json.dumps(STEPS), encoding="utf-8")
    return root


@pytest.fixture
def shipped(original, tmp_path, monkeypatch) -> Path:
    """A copy of that model, among the models that ship."""
    for name in ("corpora", "weights", "cache"):
        shutil.copytree(original / name, tmp_path / name)
    prepare(monkeypatch, tmp_path)
    return tmp_path / "weights" / "small"


def test_a_model_is_made_again_step_by_step_and_agrees(shipped, tmp_path, capsys):
    out = ("--out", str(tmp_path / "again"))
    assert run("reproduce", "small", "--list", *out) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["groups", "random", "weights"]
    with pytest.raises(SettingsError, match="groups, random"):
        run("reproduce", "small", "--only", "weights", *out)
    assert run("reproduce", "small", "--only", "groups", *out) == 0
    told = capsys.readouterr().out
    assert "all 4 measures" in told and "weights:" not in told
    assert run("reproduce", "small", *out) == 0
    whole = capsys.readouterr()
    assert "step 1 of 3, groups: finished before" in whole.err
    assert "all 8 measures" in whole.out and "weights: the same bytes" in whole.out
    recorded = read_metrics(tmp_path / "again" / "groups").command
    assert recorded.startswith("python3 -m backend evaluate --recipe mlp") and "--protocol groups" in recorded
    assert run("reproduce", "small", *out) == 0
    again = capsys.readouterr()
    assert again.err.count("finished before") == 3 and again.out == whole.out


def test_a_figure_that_differs_is_reported(shipped, tmp_path, capsys):
    words = ("reproduce", "small", "--only", "groups", "--out", str(tmp_path / "again"))
    assert run(*words) == 0
    (file,) = shipped.glob("evaluation/*-groups-*/metrics.json")
    record = json.loads(file.read_text(encoding="utf-8"))
    (row, *_) = compare_figures(shipped / "evaluation", tmp_path / "again" / "groups")
    file.write_text(json.dumps(record | {"ua": record["ua"] - row.tolerance / 100 - 0.001}), encoding="utf-8")
    assert run(*words) == 1 and "1 of 4 measures" in capsys.readouterr().out
    file.write_text(json.dumps(record | {"clips": record["clips"] + 1}), encoding="utf-8")
    assert run(*words) == 1 and "15 clips, shipped 16" in capsys.readouterr().out
    shutil.rmtree(file.parent)
    assert run(*words) == 1 and "none" in capsys.readouterr().out


def test_a_corpus_with_other_speakers_gets_a_warning(shipped, tmp_path):
    ravdess = tmp_path / "corpora" / "ravdess"
    (ravdess / "Actor_05").rename(ravdess / "Actor_06")
    for file in (ravdess / "Actor_06").iterdir():
        file.rename(file.with_name(file.name.replace("-05.wav", "-06.wav")))
    told = describe_other_clips(shipped, "ravdess", get_corpus("ravdess").scan(ravdess))
    assert "lacks 3 of their 15 clips, such as 03-01-03-01-01-01-05" in told
    assert "has 1 speakers that are not in them, such as 06" in told


def test_weights_that_changed_start_over(shipped, tmp_path, capsys):
    out = ("--out", str(tmp_path / "again"))
    assert run("reproduce", "small", "--only", "groups", *out) == 0
    capsys.readouterr()
    assert run("reproduce", "small", "--list", *out) == 0 and "finished" in capsys.readouterr().out
    with (shipped / "model.safetensors").open("ab") as file:
        file.write(b"\0")
    assert run("reproduce", "small", "--list", *out) == 0 and "finished" not in capsys.readouterr().out


def test_an_interrupted_step_is_resumed(shipped, tmp_path, monkeypatch):
    words = ("reproduce", "small", "--only", "groups", "--out", str(tmp_path / "again"))
    trained = []

    def counted(*parts, **options):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(1)
        return genuine(*parts, **options)

    genuine = cross_validate._run_fold
    with monkeypatch.context() as patched:
        patched.setattr(cross_validate, "_run_fold", counted)
        assert run(*words) == INTERRUPTED
    rest = []
    monkeypatch.setattr(cross_validate, "_run_fold", lambda *parts: rest.append(1) or genuine(*parts))
    assert run(*words) == 0 and (len(trained), len(rest)) == (2, 3)


def test_an_unknown_model_and_an_unknown_step_are_explained():
    unknown = ser("reproduce", "nonsense")
    assert unknown.returncode == 4 and b"available: " in unknown.stderr
    unknown = ser("reproduce", "mlp", "--only", "nonsense")
    assert unknown.returncode == 2 and b"emobox, random, weights" in unknown.stderr


def test_a_missing_corpus_is_named_with_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SER_CORPORA", str(tmp_path))
    done = ser("reproduce", "bilstm")
    assert done.returncode == 3
    assert b"https://github.com/CheyneyComputerScience/CREMA-D" in done.stderr and b"crema-d/" in done.stderr


def test_a_model_without_steps_is_explained(tmp_path):
    with pytest.raises(ModelError, match=r"reproduce\.json"):
        read_steps(tmp_path)


def test_a_step_is_shown_as_its_command():
    assert Step(name="a", command="train", options=("--out", "b c")).text == "train --out 'b c'"
