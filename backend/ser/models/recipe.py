"""Defines a recipe, one published system from features to training settings, and finds all recipes.

A recipe is one file in ``ser/models/recipes`` that defines ``RECIPE``; adding the file is the only edit. No code
branches on a recipe's name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from torch import nn

from ser.audio.augmentation import Change
from ser.core.errors import ModelError
from ser.models.network import Network
from ser.models.pretrained import Pretrained


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a recipe is trained; every value was chosen on validation speakers.

    Attributes:
        epochs: upper bound; training stops earlier, see ``patience``. 0 for recipes with pretrained tensors, whose
            encoder stays frozen and whose heads are fitted in closed form.
        patience: epochs without a better validation UA after which training stops; the best epoch is used. None uses
            the last epoch of the schedule: no epoch is selected, so an evaluation needs no validation speakers and
            trains on all speakers outside the test.
        batch_size: utterances per step.
        learning_rate: the maximum.
        weight_decay: of AdamW.
        label_smoothing: share of the target spread over all classes.
        mixup: parameter of the Beta distribution that two utterances are mixed by; 0 disables it.
        crop_frames: length of the longest random crop of a clip in training; None uses whole clips.
        averaging: decay per step of the moving average of the weights, which is what is stored; 0 disables it.
        augmentation: of the waveform, in training only.
        copies: number of augmented copies of each utterance beside the original.
        schedule: ``cosine`` warms up and falls to zero over ``epochs``; ``plateau`` halves the rate when the
            validation loss has not improved for some epochs.
        time_mask_frames: most consecutive frames of a clip that are masked; 0 disables it.
        dim_mask: most neighbouring dims that are masked; 0 disables it.
        class_weights: whether rarer classes weigh more in the loss, by the inverse of their share.
        balanced: whether every class of every corpus is drawn equally often.
        distillation_epochs: epochs of distillation, before training on labels.
    """

    epochs: int
    patience: int | None
    batch_size: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    mixup: float
    crop_frames: int | None
    averaging: float
    augmentation: Change
    copies: int
    schedule: Literal["cosine", "plateau"] = "cosine"
    time_mask_frames: int = 0
    dim_mask: int = 0
    class_weights: bool = False
    balanced: bool = False
    distillation_epochs: int = 0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One published system.

    Attributes:
        name: the file's name.
        title: for people.
        summary: one sentence for people.
        source: who published it.
        sample_rate: Hz; what the features expect.
        clip_seconds: length to which a clip is cut after trimming, in s; None uses whole clips.
        labels: order of the logits.
        corpora: corpus -> {native label: label}; an unmapped native label is dropped.
        features: ``features(clip_seconds)`` makes the module
            ``(samples (batch, samples), lengths) -> (frames (batch, frames, dims), lengths)``. Its
            ``span(samples, lengths)`` returns where in each clip the frames start and end, in samples, both (batch,).
        network: class of the network, see ``Network``.
        training: settings of its training.
        protocol: how its authors split their data, as text.
        pretrained: tensors of the frozen encoder, or None. The network is then an ``EncoderNetwork``.
        teacher: name of a recipe with pretrained tensors whose statistics the network first learns to predict, or None.
    """

    name: str
    title: str
    summary: str
    source: str
    sample_rate: int
    clip_seconds: float | None
    labels: tuple[str, ...]
    corpora: Mapping[str, Mapping[str, str]]
    features: Callable[[float | None], nn.Module]
    network: type[Network]
    training: TrainingSettings
    protocol: str
    pretrained: Pretrained | None = None
    teacher: str | None = None


@cache
def find_recipes() -> dict[str, Recipe]:
    """Returns every recipe by name, found by scanning ``ser/models/recipes``."""
    package = importlib.import_module("ser.models.recipes")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return {name: importlib.import_module(f"ser.models.recipes.{name}").RECIPE for name in names}


def get_recipe(name: str) -> Recipe:
    """Returns one recipe.

    Raises:
        ModelError: no recipe has that name.
    """
    recipes = find_recipes()
    if name not in recipes:
        raise ModelError(f"unknown recipe {name!r}; available: {', '.join(recipes)}.", "model_unknown")
    return recipes[name]
