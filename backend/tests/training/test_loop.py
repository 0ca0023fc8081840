"""The training loop: learning, reproducibility, early stopping and resuming."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ser.core.errors import TrainingError
from ser.data.frame_tensors import FrameBank
from ser.models.recipe import get_recipe
from ser.training import loop as training
from ser.training.batching import Task
from ser.training.loop import Trained, fit, predict_logits, unweighted_recall

RECIPE = get_recipe("cnn1d_published")
SETTINGS = replace(RECIPE.training, epochs=6, patience=6, batch_size=8)


def toy_task(clips: int = 48, classes: int = 3) -> Task:
    """Clips whose class is a frequency over time, in two copies each."""
    draw = np.random.default_rng(0)
    entries = []
    for clip in range(clips):
        for _ in range(2):
            time_axis = np.arange(draw.integers(40, 90))[:, None]
            wave = np.sin(time_axis * (0.2 + 0.5 * (clip % classes)) + np.arange(39))
            entries.append((wave + 0.3 * draw.standard_normal(wave.shape)).astype(np.float32))
    offsets = np.cumsum([0, *(len(entry) for entry in entries)])
    bank = FrameBank(
        torch.from_numpy(np.concatenate(entries)), torch.from_numpy(offsets), 2, torch.ones(clips, dtype=torch.bool)
    )
    targets = torch.arange(clips) % classes
    return Task(bank, targets, classes, train=list(range(36)), validation=list(range(36, clips)))


def train(state: Path | None = None, **changes) -> Trained:
    return fit(RECIPE, toy_task(), settings=replace(SETTINGS, **changes), seed=3, state=state)


def test_the_network_learns_the_task():
    trained = train(epochs=12, patience=12)
    network = RECIPE.network(3)
    network.load_state_dict(trained.weights)
    task = toy_task()
    assert unweighted_recall(predict_logits(network, task.bank, task.validation), task.targets[36:]) > 0.9
    assert trained.history[-1].loss < trained.history[0].loss
    assert trained.history[trained.best_epoch - 1].validation_ua == max(e.validation_ua for e in trained.history)


def test_weights_are_reproducible_by_seed():
    one, again = train(), train()
    other = fit(RECIPE, toy_task(), settings=SETTINGS, seed=4)
    assert all(torch.equal(one.weights[name], again.weights[name]) for name in one.weights)
    assert not all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)


def test_patience_stops_a_training_without_improvement():
    trained = train(epochs=40, patience=2, learning_rate=1e-9)
    assert len(trained.history) - trained.best_epoch == 2


def test_without_patience_the_last_epoch_is_used():
    trained = train(epochs=5, patience=None, learning_rate=1e-9)
    assert trained.best_epoch == len(trained.history) == 5
    assert trained.history[-1].validation_ua is not None


def test_without_validation_the_last_epoch_is_used():
    task = replace_parts(toy_task(), validation=[])
    trained = fit(RECIPE, task, settings=SETTINGS, seed=0, stop_after=4)
    assert trained.best_epoch == 4
    assert [epoch.validation_ua for epoch in trained.history] == [None] * 4


def replace_parts(task: Task, **parts) -> Task:
    return replace(task, **parts)


def test_logits_are_returned_in_the_requested_order():
    task, network = toy_task(), RECIPE.network(3)
    forth = predict_logits(network, task.bank, [5, 17, 2])
    back = predict_logits(network, task.bank, [2, 17, 5])
    torch.testing.assert_close(forth, back.flip(0))


def test_a_class_without_clips_is_an_error():
    with pytest.raises(TrainingError, match="No training clip"):
        fit(RECIPE, replace_parts(toy_task(), classes=4), settings=SETTINGS, seed=0)


def test_a_state_with_other_settings_is_refused(tmp_path):
    train(state=tmp_path / "s")
    with pytest.raises(TrainingError, match="other settings"):
        train(state=tmp_path / "s", learning_rate=1e-4)


def test_every_training_option_resumes_with_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("ser.training.loop.PLATEAU_EPOCHS", 0)
    recipe = get_recipe("resnet1d")
    settings = replace(
        recipe.training,
        epochs=9,
        batch_size=8,
        schedule="plateau",
        class_weights=True,
        balanced=True,
        learning_rate=0.05,
        averaging=0.0,
    )
    whole = fit(recipe, toy_task(), settings=settings, seed=1)
    fit(recipe, toy_task(), settings=settings, seed=1, stop_after=7, state=tmp_path / "s")
    resumed = fit(recipe, toy_task(), settings=settings, seed=1, state=tmp_path / "s")
    assert [replace(epoch, seconds=0) for epoch in resumed.history] == [replace(e, seconds=0) for e in whole.history]
    assert len({epoch.learning_rate for epoch in whole.history}) > 1, "the plateau was never reached"
    for name, value in whole.weights.items():
        assert torch.equal(resumed.weights[name], value), name


def test_weights_in_another_memory_layout_resume_with_the_same_bytes(tmp_path):
    recipe = get_recipe("cnn_lstm_attention")
    frames = torch.randn(12 * 130, 128, generator=torch.Generator().manual_seed(0))
    bank = FrameBank(frames, torch.arange(13) * 130, 1, torch.ones(12, dtype=torch.bool))
    task = Task(bank, torch.arange(12) % 3, 3, train=list(range(12)), validation=[])
    settings = replace(recipe.training, epochs=2, batch_size=6)
    whole = fit(recipe, task, settings=settings, seed=0)
    assert not all(value.is_contiguous() for value in whole.weights.values())
    fit(recipe, task, settings=settings, seed=0, stop_after=1, state=tmp_path / "s")
    resumed = fit(recipe, task, settings=settings, seed=0, state=tmp_path / "s")
    assert all(torch.equal(whole.weights[name], resumed.weights[name]) for name in whole.weights)


def test_standardisation_uses_the_training_clips_only():
    task = toy_task()
    trained = fit(get_recipe("resnet1d"), task, settings=replace(SETTINGS, epochs=1, patience=1), seed=0)
    frames = torch.cat([task.bank.entry(clip) for clip in task.train])
    torch.testing.assert_close(trained.weights["standardise.mean"], frames.mean(dim=0))
    torch.testing.assert_close(trained.weights["standardise.scale"], frames.std(dim=0))


def _train_slowly(state: Path) -> None:
    torch.set_num_threads(1)
    fit(RECIPE, toy_task(), settings=SETTINGS, seed=3, state=state, on_epoch=lambda epoch: time.sleep(0.05))


def test_a_full_disk_keeps_the_last_good_state(tmp_path, monkeypatch):
    """The disk is full from the fourth state on; once space is free, the same command gives the same bytes."""
    genuine, states = training.save_file, []

    def save(tensors, part):
        states.append(part)
        if len(states) > 3:
            part.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        genuine(tensors, part)

    monkeypatch.setattr(training, "save_file", save)
    with pytest.raises(TrainingError, match="No space left .* resumes"):
        train(state=tmp_path / "s")
    assert epochs_on_disk(tmp_path) == 3 and not list(tmp_path.glob("*.part"))
    monkeypatch.setattr(training, "save_file", genuine)
    resumed, never_interrupted = train(state=tmp_path / "s"), train()
    for name, value in never_interrupted.weights.items():
        assert torch.equal(resumed.weights[name], value), name


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0, 0.01, 0.02, 0.04] if os.environ.get("SER_FULL") == "1" else [0])
@pytest.mark.parametrize("kill_after", [0, 1, 2, 3, 5])
def test_killed_and_resumed_gives_the_same_bytes(tmp_path, kill_after, seconds):
    """Kills a training once ``kill_after`` epochs are on disk, resumes it and compares it with an uninterrupted one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        process = multiprocessing.get_context("spawn").Process(target=_train_slowly, args=(tmp_path / "s",))
        process.start()
        deadline = time.monotonic() + 60
        while process.is_alive() and time.monotonic() < deadline and not epochs_on_disk(tmp_path) >= kill_after:
            time.sleep(0.005)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert epochs_on_disk(tmp_path) < SETTINGS.epochs
        resumed, never_killed = train(state=tmp_path / "s"), train()
    finally:
        torch.set_num_threads(threads)
    assert resumed.best_epoch == never_killed.best_epoch
    for name, value in never_killed.weights.items():
        assert resumed.weights[name].numpy().tobytes() == value.numpy().tobytes(), name


def epochs_on_disk(folder: Path) -> int:
    import json

    file = folder / "s.json"
    return len(json.loads(file.read_text(encoding="utf-8"))["history"]) if file.exists() else 0
