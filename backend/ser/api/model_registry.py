"""Loads and holds models: the default one at the start, others at the first request that names them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ser.api.errors import RequestError
from ser.core.errors import ModelError
from ser.core.settings import Settings

if TYPE_CHECKING:
    from ser.inference.predictor import Predictor
    from ser.models.checkpoint import ModelInfo

WAIT_SECONDS = 10.0  # how long a request waits for the model during start-up

Load = Callable[[str, Settings], "Predictor"]
Find = Callable[[Path], Sequence["ModelInfo"]]


def _load(name: str, settings: Settings) -> Predictor:
    from ser.inference.predictor import load_predictor  # imports torch, which reads the number of threads on import

    return load_predictor(name, settings)


def _find(weights: Path) -> Sequence[ModelInfo]:
    from ser.models.checkpoint import list_models

    return list_models(weights)


class ModelRegistry:
    """The models of one server; safe to use from several threads.

    Args:
        settings: the folder of models and the default one.
        load: loads a model by name.
        find: lists the models of a folder.
        wait_seconds: how long a request waits for the default model.
    """

    def __init__(
        self, settings: Settings, *, load: Load = _load, find: Find = _find, wait_seconds: float = WAIT_SECONDS
    ):
        self._settings = settings
        self._load = load
        self._find = find
        self._wait_seconds = wait_seconds
        self._loaded: dict[str, Predictor] = {}
        self._loading = threading.Lock()
        self._ready = threading.Event()
        self._default = settings.model

    @property
    def ready(self) -> bool:
        """Whether the default model is loaded."""
        return self._ready.is_set()

    @property
    def default(self) -> str:
        """Name of the model that answers when a request names none."""
        return self._default

    @property
    def loaded(self) -> list[str]:
        """Names of the models in memory."""
        return sorted(self._loaded)

    def load_default(self) -> None:
        """Loads the default model.

        Raises:
            ModelError: it does not exist or is damaged.
        """
        predictor = self._load(self._settings.model, self._settings)
        self._loaded[predictor.info.name] = predictor
        self._default = predictor.info.name
        self._ready.set()

    def models(self) -> list[ModelInfo]:
        """Returns every model that a request may name, including the default one."""
        infos = {info.name: info for info in self._find(self._settings.weights)}
        loaded = {name: predictor.info for name, predictor in self._loaded.items()}
        return [*({**infos, **loaded}).values()]

    def get(self, name: str | None = None) -> Predictor:
        """Returns a model, loading it if necessary; the default one without a name.

        Raises:
            RequestError: the default model is still loading (``not_ready``).
            ModelError: the model does not exist (``model_unknown``) or is damaged.
        """
        if not self._ready.wait(self._wait_seconds):
            raise RequestError("The model is still loading. Try again in a few seconds.", "not_ready")
        name = name or self._default
        found = self._loaded.get(name)
        return found if found is not None else self._load_listed(name)

    def _load_listed(self, name: str) -> Predictor:
        """Loads a listed model only: a path from a client must not open anything."""
        available = [info.name for info in self.models()]
        if name not in available:
            raise ModelError(f"Unknown model {name[:80]!r}; available: {', '.join(available)}.", "model_unknown")
        with self._loading:
            if name not in self._loaded:
                self._loaded[name] = self._load(name, self._settings)
        return self._loaded[name]
