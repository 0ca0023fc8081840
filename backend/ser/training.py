"""Makes a network: the training loop, its schedule, early stopping on validation speakers, and exact resume.

Every epoch seeds its own draws from (seed, epoch), and the state after each epoch is on disk before the next begins,
so that a training killed at any point and started again ends with the same bytes. Tensors are kept as safetensors,
the rest as JSON; nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ser.bank import FrameBank, pad
from ser.dataset import Data
from ser.errors import TrainingError
from ser.files import write_atomically, write_text
from ser.layers import Standardise
from ser.recipe import Recipe, TrainingSettings

WARM_UP = 0.1  # share of the steps over which the learning rate rises
PLATEAU_EPOCHS = 5  # without a better validation loss, after which the rate is halved
EVALUATION_BATCH = 64
BUCKET_BATCHES = 6  # within so many batches clips are sorted by length


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One line of the training log.

    Attributes:
        number: from 1 on.
        loss: mean over the training batches, in nat.
        validation_loss: in nat; None without validation.
        validation_ua: share of 1; None without validation.
        learning_rate: of the last step.
        seconds: how long it took.
    """

    number: int
    loss: float
    validation_loss: float | None
    validation_ua: float | None
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class Task:
    """What to learn.

    Attributes:
        bank: frames of all clips.
        targets: int64 (clips,), the class of each clip.
        classes: number of classes.
        train: clips to learn from.
        validation: clips that choose the epoch; may be empty, then the last epoch is taken.
        shares: float (clips, classes), what is learnt in place of ``targets`` where listeners disagreed; or None.
    """

    bank: FrameBank
    targets: Tensor
    classes: int
    train: Sequence[int]
    validation: Sequence[int]
    shares: Tensor | None = None


def make_task(data: Data, train: Sequence[int], validation: Sequence[int], *, votes: bool = False) -> Task:
    """Returns the task of learning ``data``; clips without speech are neither learnt from nor chosen by.

    Args:
        data: labelled clips.
        train: clips to learn from.
        validation: clips that choose the epoch.
        votes: whether a clip that listeners judged is learnt with their votes; the figures stay about the labels.
    """
    spoken = data.bank.speech.tolist()
    targets = torch.tensor([data.labels.index(target) for target in data.targets])
    train, validation = ([i for i in part if spoken[i]] for part in (train, validation))
    return Task(data.bank, targets, len(data.labels), train, validation, _vote_shares(data, targets) if votes else None)


def _vote_shares(data: Data, targets: Tensor) -> Tensor:
    """(clips, classes): the listeners' votes among the classes, the label where there were none."""
    shares = functional.one_hot(targets, len(data.labels)).double()
    for i, utterance in enumerate(data.utterances):
        heard = torch.tensor([(utterance.soft_labels or {}).get(label, 0.0) for label in data.labels]).double()
        if heard.sum():
            shares[i] = heard / heard.sum()
    return shares.float()


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
    state: Path | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Trained:
    """Trains a recipe's network.

    Args:
        recipe: whose network.
        task: clips, classes and which clips are for what.
        settings: epochs, learning rate and so on.
        seed: of the weights, the order of the clips, dropout and the choice of copies.
        stop_after: ends after so many epochs of the same schedule; None goes on until patience runs out.
        state: file prefix for the state after each epoch; where one is there, training goes on from it.
        on_epoch: called after each epoch.

    Raises:
        TrainingError: a class has no clip to learn from, or the state is of other settings.
    """
    _check(task)
    run = _Run(recipe, task, settings, seed)
    if state is not None:
        run.load(state)
    last = settings.epochs if stop_after is None else stop_after
    while run.epoch < last and not run.out_of_patience():
        epoch = run.train_epoch()
        if state is not None:
            run.save(state)
        if on_epoch:
            on_epoch(epoch)
    return Trained(run.best_weights, run.best_epoch, run.history)


@torch.inference_mode()
def predict_logits(network: nn.Module, bank: FrameBank, clips: Sequence[int]) -> Tensor:
    """Returns logits (clips, classes) of the originals."""
    network.eval()
    order = sorted(range(len(clips)), key=lambda position: len(bank.entry(clips[position])))
    parts = [order[start : start + EVALUATION_BATCH] for start in range(0, len(order), EVALUATION_BATCH)]
    logits = torch.cat([network(*bank.batch([clips[position] for position in part]))[0] for part in parts])
    return logits[torch.tensor(order).argsort()]


def unweighted_recall(logits: Tensor, targets: Tensor) -> float:
    """UA of logits (clips, classes) over the classes that occur in ``targets``."""
    right = (logits.argmax(dim=1) == targets).double()
    return float(torch.stack([right[targets == label].mean() for label in targets.unique()]).mean())


class _Run:
    """The mutable state of one training."""

    def __init__(self, recipe: Recipe, task: Task, settings: TrainingSettings, seed: int):
        torch.manual_seed(seed)
        self.task, self.settings, self.seed = task, settings, seed
        self.network = recipe.network(task.classes)
        _fit_normalisation(self.network, task)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.average = AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging), use_buffers=True
        )
        self.class_weights = _class_weights(task) if settings.class_weights else None
        self.identity = _identity(recipe, task, settings, seed)
        self.epoch, self.best_epoch, self.history = 0, 0, []
        self.best_weights: dict[str, Tensor] = {}

    def out_of_patience(self) -> bool:
        return bool(self.task.validation) and self.epoch - self.best_epoch >= self.settings.patience

    def train_epoch(self) -> Epoch:
        began = time.perf_counter()
        torch.manual_seed(self.seed * 10_007 + self.epoch)
        draw = np.random.default_rng((self.seed, self.epoch))
        batches = self._batches(draw)
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

    def _batches(self, draw: np.random.Generator) -> list[np.ndarray]:
        train = np.asarray(self.task.train)
        order = _balanced(train, self.task, draw) if self.settings.balanced else draw.permutation(train)
        count = max(1, len(order) // self.settings.batch_size)
        return _by_length(np.array_split(order, count), self.task.bank, draw)

    def _step(self, clips: np.ndarray, share_of_epoch: float, draw: np.random.Generator) -> float:
        frames, lengths = pad([self._draw_entry(clip, draw) for clip in clips.tolist()])
        targets = _shares(self.task)[torch.from_numpy(clips)]
        if self.settings.mixup:
            frames, lengths, targets = _mix(frames, lengths, targets, self.settings.mixup, draw)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(share_of_epoch)
        with torch.autocast("cpu", torch.bfloat16, enabled=_quick_bfloat16()):
            logits = self.network(frames, lengths)[0]
        loss = functional.cross_entropy(
            logits.float(), targets, weight=self.class_weights, label_smoothing=self.settings.label_smoothing
        )
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.average.update_parameters(self.network)
        return loss.item()

    def _draw_entry(self, clip: int, draw: np.random.Generator) -> Tensor:
        """A random copy of a clip, cut to a random stretch of at most ``crop_frames``, with parts blanked."""
        entry = self.task.bank.entry(clip, int(draw.integers(self.task.bank.copies)))
        crop = self.settings.crop_frames
        if crop is not None and len(entry) > crop:
            start = int(draw.integers(len(entry) - crop + 1))
            entry = entry[start : start + crop]
        return _blank(entry, self.settings, draw)

    def _learning_rate(self, share_of_epoch: float) -> float:
        if self.settings.schedule == "plateau":
            return self._plateau_rate()
        position = min(1.0, (self.epoch + share_of_epoch) / self.settings.epochs)
        if position < WARM_UP:
            return self.settings.learning_rate * max(position / WARM_UP, 0.05)
        return self.settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (position - WARM_UP) / (1 - WARM_UP)))

    def _plateau_rate(self) -> float:
        """Replays the log, so that a resumed training goes on with the same rate; without validation, by its loss."""
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
        if epoch.validation_ua is None or epoch.validation_ua > best:
            self.best_epoch = self.epoch
            self.best_weights = {name: value.clone() for name, value in self.average.module.state_dict().items()}

    def save(self, prefix: Path) -> None:
        """Writes tensors first and the JSON that vouches for them last, each by an atomic rename."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best_weights.items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in slots.items()}
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
                f"{record['identity']}. Choose another folder, or delete this one to begin anew."
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


def _check(task: Task) -> None:
    missing = set(range(task.classes)) - set(task.targets[torch.tensor(list(task.train))].tolist())
    if missing:
        raise TrainingError(
            f"No clip to learn from for {len(missing)} of {task.classes} classes (numbers {sorted(missing)}); "
            "add recordings of them or choose fewer labels."
        )


def _fit_normalisation(network: nn.Module, task: Task) -> None:
    """Gives every ``Standardise`` the statistics of the unchanged training clips."""
    places = [module for module in network.modules() if isinstance(module, Standardise)]
    if places:
        frames = torch.cat([task.bank.entry(clip) for clip in task.train])
        for place in places:
            place.fit(frames)


def _class_weights(task: Task) -> Tensor:
    """(classes,): the inverse of each class's share of the training clips, 1 on average over the clips."""
    counts = torch.bincount(task.targets[torch.tensor(list(task.train))], minlength=task.classes)
    return len(task.train) / (task.classes * counts.clamp_min(1).float())


def _balanced(train: np.ndarray, task: Task, draw: np.random.Generator) -> np.ndarray:
    """As many clips as ``train`` has, drawn so that every class is equally likely."""
    targets = task.targets[torch.from_numpy(train)].numpy()
    weights = 1 / np.bincount(targets)[targets]
    return draw.choice(train, len(train), p=weights / weights.sum())


def _by_length(batches: list[np.ndarray], bank: FrameBank, draw: np.random.Generator) -> list[np.ndarray]:
    """Sorts clips by length within every few batches, so that less time goes into padding, and mixes the batches."""
    sizes = (bank.offsets[1:] - bank.offsets[:-1])[:: bank.copies].numpy()
    sorted_batches = []
    for start in range(0, len(batches), BUCKET_BATCHES):
        bucket = batches[start : start + BUCKET_BATCHES]
        clips = np.concatenate(bucket)
        clips = clips[np.argsort(sizes[clips], kind="stable")]
        sorted_batches += np.split(clips, np.cumsum([len(batch) for batch in bucket])[:-1])
    return [sorted_batches[i] for i in draw.permutation(len(sorted_batches))]


def _shares(task: Task) -> Tensor:
    return functional.one_hot(task.targets, task.classes).float() if task.shares is None else task.shares


def _blank(entry: Tensor, settings: TrainingSettings, draw: np.random.Generator) -> Tensor:
    """Sets a random stretch of frames and band of dims to zero (SpecAugment, Park et al. 2019, Interspeech)."""
    if not settings.time_mask_frames and not settings.dim_mask:
        return entry
    entry = entry.clone()
    for axis, largest in enumerate((settings.time_mask_frames, settings.dim_mask)):
        size = int(draw.integers(min(largest, entry.shape[axis] // 2) + 1))
        entry.narrow(axis, int(draw.integers(entry.shape[axis] - size + 1)), size).zero_()
    return entry


def _quick_bfloat16() -> bool:
    """Whether this processor has matrix units for bfloat16 (AMX); without them it is slower than float32."""
    return torch.cpu._is_amx_tile_supported()


def _mix(
    frames: Tensor, lengths: Tensor, targets: Tensor, alpha: float, draw: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Mixup (Zhang et al. 2018, ICLR): a weighted mean of pairs of clips and of their targets."""
    share = float(draw.beta(alpha, alpha))
    partner = torch.from_numpy(draw.permutation(len(frames)))
    mixed = share * frames + (1 - share) * frames[partner]
    return mixed, torch.maximum(lengths, lengths[partner]), share * targets + (1 - share) * targets[partner]


def _identity(recipe: Recipe, task: Task, settings: TrainingSettings, seed: int) -> str:
    """Names a training by everything that decides its outcome."""
    digest = hashlib.sha256(repr((recipe.name, recipe.labels, settings, seed, task.classes)).encode())
    arrays = (np.asarray(task.train), np.asarray(task.validation), _shares(task).numpy(), task.bank.frames.numpy())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:20]


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
