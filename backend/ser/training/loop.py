"""Trains a network: the training loop, its schedule, early stopping on validation speakers, and exact resume.

Every epoch seeds its own draws from (seed, epoch), and the state after each epoch is on disk before the next starts, so
that a training interrupted at any point and resumed ends with the same bytes. Tensors are stored as safetensors, the
rest as JSON; nothing is pickled.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ser.core.atomic_write import write_atomically, write_text
from ser.core.errors import TrainingError
from ser.core.identity import identity
from ser.data.frame_tensors import FrameBank
from ser.models.network import Network, NetworkOutput
from ser.models.recipe import Recipe, TrainingSettings
from ser.training.batching import Task, class_weights, draw_batches, make_batch
from ser.training.initialisation import initialise
from ser.training.losses import weak_negative_cross_entropy

WARM_UP = 0.1  # share of the steps over which the learning rate rises
PLATEAU_EPOCHS = 5  # without a better validation loss, after which the rate is halved
EVALUATION_BATCH = 64
IDENTITY_VERSION = 1  # of the description of a training in its state


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One line of the training log.

    Attributes:
        number: from 1 on.
        loss: mean over the training batches, in nat.
        validation_loss: in nat; None without validation.
        validation_ua: share of 1; None without validation.
        learning_rate: of the last step.
        seconds: duration in s.
    """

    number: int
    loss: float
    validation_loss: float | None
    validation_ua: float | None
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class Trained:
    """A trained network's weights, the epoch they are from (counted from 1), and the log."""

    weights: dict[str, Tensor]
    best_epoch: int
    history: list[Epoch]


def fit(
    recipe: Recipe,
    task: Task,
    *,
    settings: TrainingSettings,
    seed: int,
    stop_after: int | None = None,
    every_class: bool = True,
    state: Path | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Trained:
    """Trains a recipe's network.

    Args:
        recipe: whose network.
        task: clips, classes and splits.
        settings: epochs, learning rate and so on.
        seed: of the weights, the order of the clips, dropout and the choice of copies.
        stop_after: stops after so many epochs of the same schedule; None trains until patience runs out.
        every_class: whether every class must have a training clip; one that has none is not learnt, see
            ``Task.trained``.
        state: file prefix for the state after each epoch; training resumes from an existing one.
        on_epoch: called after each epoch.

    Raises:
        TrainingError: a class has no training clip although ``every_class``, epochs are set for a frozen encoder, the
            state is of other settings, or cannot be written.
    """
    _check(recipe, task, settings, every_class)
    run = _Run(recipe, task, settings, seed)
    if state is not None:
        run.load(state)
    last = settings.epochs if stop_after is None else stop_after
    while run.epoch < last and not run.out_of_patience():
        epoch = run.train_epoch()
        if state is not None:
            _save(run, state)
        if on_epoch:
            on_epoch(epoch)
    return Trained(run.best_weights, run.best_epoch, run.history)


def predict_logits(network: Network | AveragedModel, bank: FrameBank, clips: Sequence[int]) -> Tensor:
    """Returns logits (clips, classes) of the originals."""
    return predict(network, bank, clips).logits


def _save(run: _Run, state: Path) -> None:
    try:
        run.save(state)
    except (OSError, SafetensorError) as error:
        what = f"The state after epoch {run.epoch} cannot be written to {state.parent} ({error})."
        raise TrainingError(
            f"{what} Free some space and run the same command again; it resumes from the last state."
        ) from error


@torch.inference_mode()
def predict(
    network: Network | AveragedModel, bank: FrameBank, clips: Sequence[int], statistics: Tensor | None = None
) -> NetworkOutput:
    """Returns the output for the originals of clips, without attribution, which has no common length.

    Args:
        network: the network.
        bank: the frames.
        clips: which clips to predict.
        statistics: the encoder's statistics of the whole bank, see ``initialisation.known_statistics``; None to compute
            them.
    """
    network.eval()
    if statistics is not None:
        return network.heads.predict(statistics[list(clips), 0])
    order = sorted(range(len(clips)), key=lambda position: len(bank.entry(clips[position])))
    parts = [order[start : start + EVALUATION_BATCH] for start in range(0, len(order), EVALUATION_BATCH)]
    outputs = [network(*bank.batch([clips[position] for position in part])) for part in parts]
    places = torch.tensor(order).argsort()

    def in_order(values: Sequence[Tensor | None]) -> Tensor | None:
        return None if values[0] is None else torch.cat(values)[places]

    return NetworkOutput(
        logits=in_order([output.logits for output in outputs]),
        embedding=in_order([output.embedding for output in outputs]),
        speech=in_order([output.speech for output in outputs]),
        intensity=in_order([output.intensity for output in outputs]),
        distance=in_order([output.distance for output in outputs]),
    )


def unweighted_recall(logits: Tensor, targets: Tensor) -> float:
    """UA of logits (clips, classes) over the classes that occur in ``targets``."""
    right = (logits.argmax(dim=1) == targets).double()
    return float(torch.stack([right[targets == label].mean() for label in targets.unique()]).mean())


class _Run:
    """The mutable state of one training."""

    def __init__(self, recipe: Recipe, task: Task, settings: TrainingSettings, seed: int):
        torch.manual_seed(seed)
        self.settings, self.seed = settings, seed
        self.network, self.task = recipe.network(task.classes), task
        initialise(recipe, self.network, task, settings, seed)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.average = AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging), use_buffers=True
        )
        self.class_weights = class_weights(task) if settings.class_weights else torch.ones(task.classes)
        self.identity = _identity(recipe, task, settings, seed)
        self.epoch, self.best_epoch, self.history = 0, 0, []
        self.best_weights = _copy(self.network)

    def out_of_patience(self) -> bool:
        patience = self.settings.patience
        return bool(self.task.validation) and patience is not None and self.epoch - self.best_epoch >= patience

    def train_epoch(self) -> Epoch:
        began = time.perf_counter()
        torch.manual_seed(self.seed * 10_007 + self.epoch)
        draw = np.random.default_rng((self.seed, self.epoch))
        batches = draw_batches(self.task, self.settings, draw)
        self.network.train()
        losses = [self._step(batch, number / len(batches), draw) for number, batch in enumerate(batches)]
        self.epoch += 1
        loss, recall = self._validate()
        seconds = time.perf_counter() - began
        epoch = Epoch(
            number=self.epoch,
            loss=float(np.mean(losses)),
            validation_loss=loss,
            validation_ua=recall,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            seconds=round(seconds, 3),
        )
        self._keep_best(epoch)
        self.history.append(epoch)
        return epoch

    def _step(self, clips: np.ndarray, share_of_epoch: float, draw: np.random.Generator) -> float:
        frames, lengths, targets, allowed = make_batch(self.task, clips, self.settings, draw)
        rate = self._learning_rate(share_of_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=_quick_bfloat16()):
            logits = self.network(frames, lengths).logits
        errors = weak_negative_cross_entropy(logits.float(), targets * self.class_weights, allowed)
        loss = errors.mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.average.update_parameters(self.network)
        return loss.item()

    def _learning_rate(self, share_of_epoch: float) -> float:
        if self.settings.schedule == "plateau":
            return self._plateau_rate()
        position = min(1.0, (self.epoch + share_of_epoch) / self.settings.epochs)
        if position < WARM_UP:
            return self.settings.learning_rate * max(position / WARM_UP, 0.05)
        return self.settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (position - WARM_UP) / (1 - WARM_UP)))

    def _plateau_rate(self) -> float:
        """Replays the log, so that a resumed training has the same rate; without validation, by the training loss."""
        rate, best, waited = self.settings.learning_rate, math.inf, 0
        for epoch in self.history:
            loss = epoch.loss if epoch.validation_loss is None else epoch.validation_loss
            best, waited = (loss, 0) if loss < best else (best, waited + 1)
            if waited > PLATEAU_EPOCHS:
                rate, waited = rate / 2, 0
        return rate

    def _validate(self) -> tuple[float | None, float | None]:
        if not self.task.validation:
            return None, None
        logits = predict_logits(self.average, self.task.bank, self.task.validation)
        targets = self.task.targets[torch.tensor(self.task.validation)]
        return float(functional.cross_entropy(logits, targets)), unweighted_recall(logits, targets)

    def _keep_best(self, epoch: Epoch) -> None:
        best = max((past.validation_ua or 0.0 for past in self.history), default=-1.0)
        if epoch.validation_ua is None or self.settings.patience is None or epoch.validation_ua > best:
            self.best_epoch = self.epoch
            self.best_weights = _copy(self.average.module)

    def save(self, prefix: Path) -> None:
        """Writes the tensors first and the JSON that refers to them last, each by an atomic rename."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best_weights.items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in slots.items()}
        tensors = {name: value.contiguous() for name, value in tensors.items()}  # safetensors requires it
        name = f"{prefix.name}.{self.epoch}.safetensors"
        write_atomically(prefix.with_name(name), lambda part: save_file(tensors, part))
        record = {
            "identity": self.identity,
            "tensors": name,
            "best_epoch": self.best_epoch,
            "history": [asdict(epoch) for epoch in self.history],
        }
        write_text(prefix.with_name(f"{prefix.name}.json"), json.dumps(record))
        for old in prefix.parent.glob(f"{prefix.name}.*.safetensors"):
            if old.name != name:
                old.unlink()

    def load(self, prefix: Path) -> None:
        file = prefix.with_name(f"{prefix.name}.json")
        if not file.exists():
            return
        record = json.loads(file.read_text(encoding="utf-8"))
        if record["identity"] != self.identity:
            raise TrainingError(
                f"{file} is the state of a training with other settings or data; expected {self.identity}, found "
                f"{record['identity']}. Choose another folder, or delete this one to start over."
            )
        tensors = load_file(prefix.with_name(record["tensors"]))
        self.history = [Epoch(**epoch) for epoch in record["history"]]
        self.epoch, self.best_epoch = len(self.history), record["best_epoch"]
        self.network.load_state_dict(_under("network.", tensors))
        self.average.load_state_dict(_under("average.", tensors))
        self.best_weights = _under("best.", tensors)
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimizer.", tensors).items():
            index, slot = name.split(".", 1)
            state.setdefault(int(index), {})[slot] = value
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": state})


def _check(recipe: Recipe, task: Task, settings: TrainingSettings, every_class: bool) -> None:
    if recipe.pretrained is not None and settings.epochs:
        raise TrainingError(
            f"{recipe.name} cannot be trained for {settings.epochs} epochs: its encoder stays frozen, and its heads "
            "are fitted in closed form. Omit --epochs."
        )
    missing = torch.nonzero(~task.trained)[:, 0].tolist()
    if missing and every_class:
        raise TrainingError(
            f"No training clip for {len(missing)} of {task.classes} classes (numbers {missing}); "
            "add recordings of them or choose fewer labels."
        )


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def _quick_bfloat16() -> bool:
    """Whether this processor has matrix units for bfloat16 (AMX); without them it is slower than float32."""
    return torch.cpu._is_amx_tile_supported()


def _identity(recipe: Recipe, task: Task, settings: TrainingSettings, seed: int) -> str:
    """Names a training by everything that decides its outcome."""
    content = {
        "recipe": recipe.name,
        "labels": recipe.labels,
        "settings": settings,
        "seed": seed,
        "classes": task.classes,
        "train": np.asarray(task.train, np.int64),
        "validation": np.asarray(task.validation, np.int64),
        "targets": task.learnt.numpy(),
        "frames": task.bank.frames.numpy(),
        "offsets": task.bank.offsets.numpy(),
    }
    return identity("training", IDENTITY_VERSION, content)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
