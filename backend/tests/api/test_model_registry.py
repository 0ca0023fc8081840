"""The model registry: listed models only, each loaded once."""

from __future__ import annotations

import threading
import time

import pytest

from ser.api.errors import RequestError
from ser.api.model_registry import ModelRegistry
from ser.core.errors import ModelError


def test_default_is_loaded_at_startup_and_others_on_demand(registry, loads):
    assert registry.ready and registry.loaded == ["first"] and loads == ["first"]
    assert registry.get().info.name == registry.get("first").info.name == "first"
    assert registry.get("second").info.name == "second"
    assert registry.loaded == ["first", "second"]


def test_requests_are_refused_before_the_default_is_loaded(cold_registry):
    assert not cold_registry.ready
    with pytest.raises(RequestError) as caught:
        cold_registry.get()
    assert caught.value.code == "not_ready"


def test_a_request_waits_for_the_default(settings, registry, cold_registry):
    waiting = ModelRegistry(settings, load=cold_registry._load, find=cold_registry._find, wait_seconds=5)
    threading.Timer(0.1, waiting.load_default).start()
    started = time.perf_counter()
    assert waiting.get().info.name == "first"
    assert 0.05 < time.perf_counter() - started < 3


def test_concurrent_requests_load_a_model_once(settings, registry):
    loads = []

    def slow(name, given):
        loads.append(name)
        time.sleep(0.05)
        return registry._load(name, given)

    models = ModelRegistry(settings, load=slow, find=registry._find)
    models.load_default()
    threads = [threading.Thread(target=models.get, args=("second",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert loads == ["first", "second"]


@pytest.mark.parametrize("name", ["third", "..", "/", "weights/first", "first/"])
def test_unlisted_names_load_nothing(registry, loads, name):
    with pytest.raises(ModelError, match="available: first, second") as caught:
        registry.get(name)
    assert caught.value.code == "model_unknown"
    assert loads == ["first"]


def test_missing_default_is_an_error(settings, registry):
    missing = ModelRegistry(settings, load=lambda *_: registry._load("none", settings), find=registry._find)
    with pytest.raises(ModelError):
        missing.load_default()
    assert not missing.ready


def test_default_given_by_path_is_listed(settings, registry):
    models = ModelRegistry(settings, load=lambda *_: registry.get("second"), find=lambda _: [])
    models.load_default()
    assert models.default == "second"
    assert [info.name for info in models.models()] == ["second"]
    assert models.get("second") is models.get()
