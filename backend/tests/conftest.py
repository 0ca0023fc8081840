"""Fixtures for all tests, and the handling of tests whose requirements this machine does not meet.

Tests marked ``corpus`` need real recordings in ``SER_CORPORA``; some database tests need a PostgreSQL server. Tests
that cannot run are listed in the summary, and with ``SER_REQUIRE_ALL=1`` (as in CI) the run fails.
"""

from __future__ import annotations

import io
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from ser.audio.waveform import SAMPLE_RATE
from ser.core.settings import PROJECT
from ser.models.pretrained import fingerprint
from ser.models.recipe import Recipe, get_recipe
from ser.models.whisper_encoder import DIMS, LAYERS
from ser.storage.database import Store, open_store
from tests.tools.databases import POSTGRES, make, postgres_server

if TYPE_CHECKING:
    from ser.inference.predictor import Predictor

CORPORA, SERVER = "the corpora; set SER_CORPORA to their folder", "a PostgreSQL server; install its programs"
NOT_RUN = pytest.StashKey[dict[str, int]]()  # tests that could not run, by requirement


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    needs = {item: _lacks(item) for item in items}
    needing = [item for item in items if needs[item]]
    config.stash[NOT_RUN] = dict(Counter(filter(None, needs.values())))
    items[:] = [item for item in items if not needs[item]]
    if needing:
        config.hook.pytest_deselected(items=needing)


def _lacks(item: pytest.Item) -> str | None:
    if item.get_closest_marker("corpus") and not (_corpora() / "ravdess").is_dir():
        return CORPORA
    given = item.callspec.params if hasattr(item, "callspec") else {}
    return SERVER if given.get("database_url") == "postgresql" and POSTGRES is None else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for need, number in config.stash.get(NOT_RUN, {}).items():
        terminalreporter.write_line(f"not run: {number} tests need {need}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    left = session.config.stash.get(NOT_RUN, {})
    if hasattr(session.config, "workeroutput"):  # a worker of several processes
        session.config.workeroutput["not_run"] = left
    elif left and os.environ.get("SER_REQUIRE_ALL") == "1":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_testnodedown(node: Any) -> None:
    """Collects the tests a worker left out; every worker collects all tests."""
    node.config.stash[NOT_RUN] = getattr(node, "workeroutput", {}).get("not_run", {})


def _corpora() -> Path:
    return Path(os.environ.get("SER_CORPORA", PROJECT / "data"))


@pytest.fixture
def corpora_root() -> Path:
    """Folder with one subfolder per corpus; only for tests marked ``corpus``."""
    return _corpora()


@pytest.fixture
def samples() -> dict[str, Path]:
    """The three clips of real speech that ship with the page: intended emotion -> path of a 16 kHz mono WAV."""
    folder = PROJECT / "frontend" / "public" / "samples"
    return {name: folder / f"{name}.wav" for name in ("angry", "happy", "sad")}


@pytest.fixture
def tone() -> Callable[..., np.ndarray]:
    """Makes a decaying harmonic tone, which is not speech: float32 (samples,)."""

    def make(seconds: float, sample_rate: int, hertz: float = 220.0) -> np.ndarray:
        time = np.arange(int(seconds * sample_rate)) / sample_rate
        waves = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 6))
        return (0.2 * waves * np.exp(-time)).astype(np.float32)

    return make


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Encodes samples (samples,) or (samples, channels) with libsndfile."""

    def make(samples: np.ndarray, sample_rate: int, form: str = "WAV", subtype: str | None = None) -> bytes:
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, sample_rate, format=form, subtype=subtype)
        return buffer.getvalue()

    return make


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keeps the output of tests out of the project's own folders."""
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("SER_DATABASE_URL", f"sqlite:///{(tmp_path / 'results.sqlite').as_posix()}")
    yield


@pytest.fixture(scope="session")
def published_tensors() -> dict[str, torch.Tensor]:
    """Random tensors with the names and shapes of the published encoder."""
    draw = torch.Generator().manual_seed(0)
    shapes = {"conv1.weight": (DIMS, 80, 3), "conv1.bias": (DIMS,), "conv2.weight": (DIMS, DIMS, 3)}
    shapes |= {"conv2.bias": (DIMS,), "embed_positions.weight": (1500, DIMS)}
    for number in range(LAYERS + 1):  # the published file has one layer more than is used
        layer = {f"self_attn.{letter}_proj.weight": (DIMS, DIMS) for letter in "qkv"}
        layer |= {"self_attn.q_proj.bias": (DIMS,), "self_attn.v_proj.bias": (DIMS,)}
        layer |= {"self_attn.out_proj.weight": (DIMS, DIMS), "self_attn.out_proj.bias": (DIMS,)}
        layer |= {"fc1.weight": (4 * DIMS, DIMS), "fc1.bias": (4 * DIMS,)}
        layer |= {"fc2.weight": (DIMS, 4 * DIMS), "fc2.bias": (DIMS,)}
        for norm in ("self_attn_layer_norm", "final_layer_norm"):
            layer |= {f"{norm}.weight": (DIMS,), f"{norm}.bias": (DIMS,)}
        shapes |= {f"layers.{number}.{name}": shape for name, shape in layer.items()}
    return {name: (0.05 * torch.randn(shape, generator=draw)).half() for name, shape in shapes.items()}


@pytest.fixture
def toy_encoder(published_tensors, tmp_path, monkeypatch) -> Recipe:
    """The recipe on a pretrained encoder, with random tensors in place of the pretrained ones."""
    folder = tmp_path / "pretrained"
    folder.mkdir()
    save_file({f"model.encoder.{name}": value for name, value in published_tensors.items()}, folder / "toy.safetensors")
    monkeypatch.setenv("SER_PRETRAINED", str(folder))
    monkeypatch.setattr("ser.training.initialisation.SOUNDS_EACH", 4)
    recipe = get_recipe("whisper")
    return replace(recipe, pretrained=replace(recipe.pretrained, name="toy", sha256=fingerprint(published_tensors)))


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """URL of a PostgreSQL server that runs for the whole session; requested only where PostgreSQL is installed."""
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, for each supported kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'some folder' / 'results.sqlite').as_posix()}"
    server, name = request.getfixturevalue("server_url"), f"t{secrets.token_hex(8)}"
    make(f"{server}/postgres", f"CREATE DATABASE {name}")
    return f"{server}/{name}"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open database, for each supported kind in turn."""
    store = open_store(database_url)
    yield store
    store.close()


@pytest.fixture(scope="session")
def voice_predictor() -> Predictor:
    """A network with random weights that supports speaker profiles."""
    from ser.inference.predictor import Predictor
    from ser.models.calibration import Calibration
    from ser.models.checkpoint import Checkpoint, ModelInfo

    recipe = get_recipe("whisper")
    torch.manual_seed(0)
    network = recipe.network(len(recipe.labels)).eval()
    torch.nn.init.normal_(network.heads.speaker_offset.means)
    for layer in (network.heads.head, network.heads.centred_head):
        layer.weight.data *= 10  # answers to different recordings then differ as much as those of a trained network
    info = ModelInfo(
        name="toy",
        title="",
        summary="",
        recipe="whisper",
        labels=recipe.labels,
        sample_rate=SAMPLE_RATE,
        clip_seconds=None,
        parameters=1,
        corpora=(),
        licence="none",
        calibration=Calibration(temperature=1.0, unsure_below=0.5),
    )
    return Predictor(Checkpoint(info, recipe.features(None).eval(), network), 60.0)
