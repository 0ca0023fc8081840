"""Defines a recipe, one published system from features to training settings, and finds all recipes.

A recipe is one file in ``ser/models/recipes`` ending in ``RECIPE``; adding the file is the only edit. Nothing branches
on a recipe's name.
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
        patience: epochs without a better validation UA after which training stops, and the best one is taken. None
            takes the last epoch of the schedule: no choice is made, so an evaluation keeps no speakers back for it and
            learns from all that are not tested.
        batch_size: utterances a step.
        learning_rate: the largest.
        weight_decay: AdamW's.
        label_smoothing: share of the target spread over all classes.
        mixup: parameter of the Beta distribution two utterances are mixed by; 0 switches it off.
        crop_frames: longest random stretch of a clip that is learnt from at a time; None takes whole clips.
        averaging: decay a step of the moving average of the weights, which is what is kept; 0 keeps the weights.
        augmentation: changes to the waveform, in training only.
        copies: how many changed copies of each utterance are made beside the original.
        schedule: ``cosine`` warms up and falls to zero over ``epochs``; ``plateau`` halves the rate when the
            validation loss has not improved for some epochs.
        time_mask_frames: longest stretch of a clip that is blanked; 0 switches it off.
        dim_mask: most neighbouring dims that are blanked; 0 switches it off.
        class_weights: whether rarer classes weigh more in the loss, by the inverse of their share.
        balanced: whether every class of every corpus is drawn equally often.
        distillation_epochs: passes over the teacher's statistics, before the first label.
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
        clip_seconds: length to which a clip is cut after trimming, in s; None keeps all.
        labels: order of the logits.
        corpora: corpus -> {native label: label}; an unmapped native label is dropped.
        features: ``features(clip_seconds)`` makes the module
            ``(samples (batch, samples), lengths) -> (frames (batch, frames, dims), lengths)``. Its
            ``span(samples, lengths)`` says where in each clip the frames begin and end, in samples, both (batch,).
        network: class of the network, see ``Network``.
        training: settings that its training uses.
        protocol: how its authors split their data, in words.
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
