"""Writes and reads checkpoints: ``model.safetensors`` + ``config.json`` <-> a network that is ready to use.

A checkpoint is self-contained: its configuration says how to rebuild the network. Nothing is pickled, so a model file
cannot run code; its SHA-256 is in the configuration, so that a damaged or replaced file is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ser.core.atomic_write import write_atomically, write_text
from ser.core.errors import ModelError
from ser.core.labels import EMOTIONS
from ser.models.calibration import Calibration
from ser.models.network import Network
from ser.models.recipe import find_recipes, get_recipe

WEIGHTS_FILE, CONFIG_FILE = "model.safetensors", "config.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured figure with what it was measured on; shares in percent.

    Attributes:
        corpus: what it was measured on.
        protocol: how speakers were split.
        classes: number of classes.
        speaker_independent: whether the test speakers were unseen.
        ua: mean over seeds of the mean of the per-class recalls.
        ua_std: its standard deviation over seeds.
        wa: accuracy.
        f1: macro F1.
        weighted_f1: F1 weighted by class size.
        seeds: number of seeds.
        interval: 95 % bootstrap interval of the UA over speakers.
    """

    corpus: str
    protocol: str
    classes: int
    speaker_independent: bool
    ua: float
    ua_std: float
    wa: float
    f1: float
    weighted_f1: float
    seeds: int
    interval: tuple[float, float]

    @property
    def text(self) -> str:
        """The UA for display: mean and standard deviation over seeds, then the interval."""
        spread = f" ± {self.ua_std:.1f}" if self.seeds > 1 else ", one seed"
        return f"{self.ua:.1f}{spread} [{self.interval[0]:.1f}, {self.interval[1]:.1f}]"

    @property
    def folder(self) -> str:
        """Name of the folder in ``evaluation`` with the predictions that it is computed from."""
        return f"{self.corpus}-{self.protocol}-{self.classes}classes"


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """Metadata of a checkpoint."""

    name: str
    title: str
    summary: str
    recipe: str
    labels: tuple[str, ...]
    sample_rate: int
    clip_seconds: float | None
    parameters: int
    corpora: tuple[str, ...]
    licence: str
    calibration: Calibration
    figures: tuple[Figure, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def unseen_figures(self) -> list[Figure]:
        """All figures on unseen speakers."""
        return [figure for figure in self.figures if figure.speaker_independent]

    @property
    def figure(self) -> Figure | None:
        """The figure on unseen speakers with the model's own labels, None where none was measured."""
        return self._first(speaker_independent=True)

    @property
    def leaky_figure(self) -> Figure | None:
        """The figure of a random split, whose test speakers also occur in training."""
        return self._first(speaker_independent=False)

    @property
    def profiles(self) -> bool:
        """Whether the model supports speaker profiles."""
        recipe = find_recipes().get(self.recipe)
        return recipe is not None and recipe.network.supports_profiles

    def _first(self, *, speaker_independent: bool) -> Figure | None:
        own = (f for f in self.figures if f.classes == len(self.labels))
        return next((f for f in own if f.speaker_independent is speaker_independent), None)


@dataclass(frozen=True)
class Checkpoint:
    """A model ready to use: its metadata, its features and its network in evaluation mode."""

    info: ModelInfo
    features: nn.Module
    network: Network


def save_checkpoint(folder: Path, info: ModelInfo, weights: Mapping[str, Tensor]) -> None:
    """Writes a checkpoint; an interrupted write leaves the old one, or one that is refused on loading."""
    content = save({name: value.contiguous() for name, value in weights.items()})
    config = {"format": FORMAT, **asdict(info), "sha256": hashlib.sha256(content).hexdigest()}
    write_atomically(folder / WEIGHTS_FILE, lambda part: part.write_bytes(content))
    write_text(folder / CONFIG_FILE, json.dumps(config, indent=2) + "\n")


def load_checkpoint(folder: Path) -> Checkpoint:
    """Rebuilds a network.

    Raises:
        ModelError: a file is missing, damaged, of another format or recipe, or does not fit its configuration.
    """
    config = _read_config(folder)
    info = _info(folder, config)
    try:
        content = (folder / WEIGHTS_FILE).read_bytes()
    except OSError as error:
        raise ModelError(f"{folder / WEIGHTS_FILE} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(content).hexdigest() != config.get("sha256"):
        raise ModelError(
            f"{folder / WEIGHTS_FILE} does not match the checksum in {CONFIG_FILE}; fetch both files again."
        )
    recipe = get_recipe(info.recipe)
    network = recipe.network(len(info.labels))
    try:
        network.load_state_dict(load(content))
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise ModelError(f"{folder / WEIGHTS_FILE} does not fit the recipe {info.recipe}: {error}") from error
    return Checkpoint(info, recipe.features(info.clip_seconds).eval(), network.eval())


def list_models(weights: Path) -> list[ModelInfo]:
    """Returns the metadata of every checkpoint in a folder, by name."""
    return [_info(file.parent, _read_config(file.parent)) for file in sorted(weights.glob(f"*/{CONFIG_FILE}"))]


def most_accurate(models: Sequence[ModelInfo]) -> ModelInfo | None:
    """Returns the model with the highest UA on unseen speakers, None where none was measured.

    Models for several corpora (protocol ``joint``) come first, as a user's recording is none of any one corpus; each
    counts with its mean over the corpora. Where there are none, the headline figures decide.
    """

    def joint(info: ModelInfo) -> float:
        uas = [figure.ua for figure in info.unseen_figures if figure.protocol == "joint"]
        return sum(uas) / len(uas) if uas else -1.0

    measured = [info for info in models if info.figure is not None]
    return max(measured, key=lambda info: (joint(info), info.figure.ua), default=None)


def find_checkpoint(name_or_path: str, weights: Path) -> Path:
    """Returns the folder of a checkpoint given by name, or by the path of its folder or of a file in it.

    Raises:
        ModelError: there is none.
    """
    names = [file.parent.name for file in sorted(weights.glob(f"*/{CONFIG_FILE}"))]
    if name_or_path in names:
        return weights / name_or_path
    path = Path(name_or_path)
    folder = path if path.is_dir() else path.parent
    if path.exists() and (folder / CONFIG_FILE).exists():
        return folder
    raise ModelError(f"unknown model {name_or_path!r}; available: {', '.join(names) or 'none'}.", "model_unknown")


def _read_config(folder: Path) -> dict[str, Any]:
    file = folder / CONFIG_FILE
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read as a model configuration: {error}.") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelError(f"{file} is not a model configuration of format {FORMAT}.")
    return config


def _info(folder: Path, config: dict[str, Any]) -> ModelInfo:
    values = {name: value for name, value in config.items() if name not in ("format", "sha256")}
    try:
        figures = [Figure(**(figure | {"interval": tuple(figure["interval"])})) for figure in values["figures"]]
        lists = {"labels": tuple(values["labels"]), "corpora": tuple(values["corpora"]), "figures": tuple(figures)}
        info = ModelInfo(**(values | lists | {"calibration": Calibration.from_dict(values["calibration"])}))
    except (TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{folder / CONFIG_FILE} has missing or unknown fields: {error}.") from error
    calibrations = (info.calibration, *info.calibration.by_size.values())
    if not info.labels or not set(info.labels) <= set(EMOTIONS) or any(not c.temperature > 0 for c in calibrations):
        raise ModelError(f"{folder / CONFIG_FILE} has invalid labels or an invalid calibration.")
    return info
