"""Fixtures for the API tests: an application with instant fake models, over the test client and over real HTTP."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from ser.api.app import create_app
from ser.api.context import Database, gate
from ser.api.errors import KINDS, MEDIA_TYPE
from ser.api.model_registry import ModelRegistry
from ser.api.server.run import Server, bind
from ser.audio.vad import FRAME_SAMPLES, Speech
from ser.audio.waveform import SAMPLE_RATE, Waveform, decode, resample
from ser.core.errors import ModelError
from ser.core.labels import choose_emotions
from ser.core.prediction import Prediction, Segment
from ser.core.settings import Settings
from ser.core.speaker_profile import Profile
from ser.inference.adaptation import Speaker
from ser.inference.attribution import Attribution
from ser.inference.predictor import Analysis, Encoded
from ser.inference.windowing import DEFAULT_GRID, Grid
from ser.models.calibration import Calibration
from ser.models.checkpoint import Figure, ModelInfo, save_checkpoint

collect_ignore = [] if os.name == "posix" else ["test_workers.py"]  # Windows supports a single process only

LABELS = ("angry", "happy", "sad")
PAGE = "<!doctype html><title>page</title>"


def info(name: str) -> ModelInfo:
    """The model card of a model in the fake weights folder."""
    figure = Figure(
        corpus="ravdess",
        protocol="emobox",
        classes=3,
        speaker_independent=True,
        ua=55.1,
        ua_std=0.8,
        wa=54.0,
        f1=53.2,
        weighted_f1=53.9,
        seeds=3,
        interval=(50.2, 60.1),
    )
    return ModelInfo(
        name=name,
        title=f"Model {name}",
        summary="For tests.",
        recipe="cnn1d",
        labels=LABELS,
        sample_rate=16_000,
        clip_seconds=None,
        parameters=12,
        corpora=("ravdess",),
        licence="CC BY-NC-SA 4.0",
        calibration=Calibration(temperature=1.0, unsure_below=0.5),
        figures=(figure,),
    )


@dataclass(frozen=True)
class Loudness(Encoded):
    """An encoded recording with its largest absolute sample."""

    peak: float = 0.0


class LoudnessPredictor:
    """Decodes like the real predictor and labels loud audio angry, so that each prediction depends on its recording."""

    adapts = False

    def __init__(self, name: str):
        self.info = info(name)

    def analyse(
        self,
        source: bytes | Waveform,
        file: str = "",
        *,
        grid: Grid = DEFAULT_GRID,
        coverage: int | None = None,
        profile: Profile | None = None,
        emotions: str | Sequence[str] | None = None,
        adapt: bool = True,
        explain: bool = True,
        check_cancelled: Callable[[], None] = lambda: None,
    ) -> Analysis:
        waveform = source if isinstance(source, Waveform) else decode(source, max_seconds=1800.0)
        encoded = self.encode(waveform, file)
        prediction = self.answer(encoded, emotions=emotions)
        end = prediction.duration_seconds
        attribution = Attribution(kind="attention", start=[0.0], end=[end], weight=[1.0]) if explain else None
        return Analysis(prediction, resample(waveform, SAMPLE_RATE).samples, encoded.speech, attribution)

    def encode(self, source: Waveform, file: str = "", *, grid: Grid = DEFAULT_GRID) -> Loudness:
        samples = resample(source, SAMPLE_RATE).samples
        peak = float(np.abs(samples).max())
        speech = Speech(np.full(-(-len(samples) // FRAME_SAMPLES), peak > 0), len(samples))
        return Loudness(file, source.seconds, speech, grid, windows=[], outputs=None, warnings=[], peak=peak)

    def answer(
        self, encoded: Loudness, *, emotions: str | Sequence[str] | None = None, speaker: Speaker | None = None
    ) -> Prediction:
        emotions = choose_emotions(emotions, LABELS)
        speech = encoded.peak > 0
        angry = min(encoded.peak, 1.0)
        probabilities = {"angry": angry, "happy": (1 - angry) * 0.75, "sad": (1 - angry) * 0.25} if speech else {}
        chosen = {label: share for label, share in probabilities.items() if label in (emotions or LABELS)}
        probabilities = {label: share / sum(chosen.values()) for label, share in chosen.items()} if emotions else chosen
        best = max(probabilities, key=probabilities.get) if speech else None
        confidence = round(100 * probabilities[best], 2) if best else None
        seconds = encoded.duration_seconds
        return Prediction(
            file=encoded.file,
            state="emotion" if speech else "no_speech",
            emotion=best,
            confidence=confidence,
            probabilities=probabilities,
            candidates=[],
            model=self.info.name,
            duration_seconds=seconds,
            speech_seconds=seconds if speech else 0.0,
            segments=[Segment(start=0.0, end=seconds, emotion=best, confidence=confidence)] if best else [],
            emotions=list(emotions),
        )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    frontend = tmp_path / "dist"
    (frontend / "assets").mkdir(parents=True)
    (frontend / "index.html").write_text(PAGE, encoding="utf-8")
    (frontend / "assets" / "index-abc123.js").write_text("export {};", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("not for the world", encoding="utf-8")
    url = f"sqlite:///{(tmp_path / 'results.sqlite').as_posix()}"
    return Settings(
        frontend=frontend,
        weights=tmp_path / "weights",
        model="first",
        threads=8,
        predictions=3,
        waiting=1,
        database_url=url,
    )


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url)
    yield database
    database.close()


@pytest.fixture
def owner() -> dict[str, str]:
    """Request headers of the owner."""
    return {"Authorization": f"Bearer {'a' * 31}-"}


@pytest.fixture
def stranger() -> dict[str, str]:
    """Request headers of another owner."""
    return {"Authorization": f"Bearer {'b' * 43}"}


@pytest.fixture
def loads() -> list[str]:
    """Names of the models loaded so far, in order."""
    return []


@pytest.fixture
def cold_registry(settings: Settings, loads: list[str]) -> ModelRegistry:
    """A registry whose default model has not been loaded."""

    def load(name: str, _: Settings) -> LoudnessPredictor:
        loads.append(name)
        if name not in ("first", "second"):
            raise ModelError(f"unknown model {name!r}", "model_unknown")
        return LoudnessPredictor(name)

    return ModelRegistry(settings, load=load, find=lambda _: [info("first"), info("second")], wait_seconds=0.05)


@pytest.fixture
def registry(cold_registry: ModelRegistry) -> ModelRegistry:
    cold_registry.load_default()
    return cold_registry


class ReadingClient(FlaskClient):
    """Consumes every response immediately, which closes the files it is streamed from."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        return super().open(*arguments, buffered=True, **options)


@pytest.fixture
def app(settings: Settings, registry: ModelRegistry, database: Database) -> APIFlask:
    app = create_app(settings, registry, database)
    app.test_client_class = ReadingClient
    return app


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def serve(settings: Settings) -> Iterator[Callable[..., Server]]:
    """Starts applications behind the production server on free loopback ports."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(app: Any, settings: Settings = settings, **options: Any) -> Server:
        server = Server(app, bind("127.0.0.1", 0), settings, **options)
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.stop()
        thread.join(15)
        assert not thread.is_alive()


@pytest.fixture
def server(app: APIFlask, serve: Callable[..., Server]) -> Server:
    return serve(app, full=lambda: gate(app).full)


@pytest.fixture
def wav(tone: Callable[..., np.ndarray], encode: Callable[..., bytes]) -> bytes:
    """Half a second of audio as WAV."""
    return encode(tone(0.5, 16_000), 16_000)


@pytest.fixture
def form() -> Callable[..., dict[str, Any]]:
    """Builds the arguments of a multipart request for the test client."""

    def make(content: bytes, field: str = "file", name: str = "clip.wav", **fields: str) -> dict[str, Any]:
        return {"data": {field: (io.BytesIO(content), name), **fields}, "content_type": "multipart/form-data"}

    return make


@pytest.fixture
def multipart() -> Callable[..., tuple[bytes, str]]:
    """Builds a multipart body, padded to an exact size in bytes if one is given; returns it with its content type."""

    def make(content: bytes, size: int | None = None, **fields: str) -> tuple[bytes, str]:
        parts = [f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields]
        head = "".join(parts).encode()
        head += b'--cut\r\nContent-Disposition: form-data; name="file"; filename="clip.wav"\r\n\r\n'
        tail = b"\r\n--cut--\r\n"
        padding = 0 if size is None else size - len(head) - len(content) - len(tail)
        return head + content + bytes(padding) + tail, "multipart/form-data; boundary=cut"

    return make


@pytest.fixture
def problem_of() -> Callable[..., dict[str, Any]]:
    """Asserts that a response (test client or requests) is a problem with a given code; returns its document."""

    def check(answer: Any, code: str) -> dict[str, Any]:
        content = answer.content if hasattr(answer, "content") else answer.data
        body = json.loads(content)
        assert answer.headers["Content-Type"] == MEDIA_TYPE
        assert list(body) == ["type", "title", "status", "detail", "code", "request_id"]
        assert body["code"] == code
        assert body["status"] == answer.status_code == KINDS[code].status
        assert body["type"] == f"/docs#{code}"
        assert body["request_id"] == answer.headers["X-Request-ID"]
        assert len(body["detail"]) > 30 and body["detail"].endswith("."), "states what happened, why, and what to do"
        assert "Traceback" not in body["detail"] and ".py" not in body["detail"]
        return body

    return check


@pytest.fixture
def real_settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings whose weights folder holds an untrained network."""
    import torch

    from ser.models.recipe import get_recipe

    recipe = get_recipe("cnn1d")
    torch.manual_seed(0)
    network = recipe.network(len(recipe.labels))
    info = ModelInfo(
        name="untrained",
        title="Untrained",
        summary="For tests.",
        recipe=recipe.name,
        labels=recipe.labels,
        sample_rate=recipe.sample_rate,
        clip_seconds=recipe.clip_seconds,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        corpora=("ravdess",),
        licence="none",
        calibration=Calibration(temperature=1.0, unsure_below=0.15),
    )
    save_checkpoint(tmp_path / "weights" / "untrained", info, network.state_dict())
    return replace(settings, weights=tmp_path / "weights", model="untrained")


@pytest.fixture
def real_client(real_settings: Settings, database: Database) -> FlaskClient:
    """A client of an application serving the untrained network."""
    registry = ModelRegistry(real_settings)
    registry.load_default()
    return create_app(real_settings, registry, database).test_client()
