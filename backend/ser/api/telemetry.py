"""Owns what an operator can watch: counts and times in Prometheus' text format at ``/metrics``.

With several workers each keeps its own in a folder that the supervisor made (``PROMETHEUS_MULTIPROC_DIR``), and any of
them tells the sum. Nothing of a recording, a name or an owner is in them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import generate_latest as latest
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # s

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

REQUESTS = Counter("ser_requests", "Requests that were answered.", ["method", "route", "status"])
SECONDS = Histogram("ser_request_seconds", "How long answering took.", ["route"], buckets=BUCKETS)
STAGES = Histogram("ser_stage_seconds", "How long a stage of an analysis took.", ["stage"], buckets=BUCKETS)
PREDICTIONS = Counter("ser_predictions", "Recordings by what they came to.", ["model", "outcome"])
PROBLEMS = Counter("ser_problems", "Problems that were answered.", ["code"])
RUNNING = Gauge("ser_predictions_running", "Recordings being analysed.", multiprocess_mode="livesum")
WAITING = Gauge("ser_predictions_waiting", "Requests that wait for that.", multiprocess_mode="livesum")

routes = Blueprint("metrics", __name__)


@routes.get("/metrics")
def metrics() -> Response:
    """Answers with everything that was counted."""
    registry = REGISTRY
    if os.environ.get(FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return Response(latest(registry), content_type=CONTENT_TYPE_LATEST)


def register(app: Flask) -> None:
    """Counts every request of ``app`` by the rule it fits; ``access`` has to be registered, too."""
    app.register_blueprint(routes)
    app.after_request(_count)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Measures a stage of an analysis: ``wait``, ``decode``, ``predict`` or ``describe``."""
    began = time.perf_counter()
    try:
        yield
    finally:
        STAGES.labels(name).observe(time.perf_counter() - began)


def predicted(model: str, state: str) -> None:
    """Counts a recording that was answered, by the state of its answer."""
    PREDICTIONS.labels(model, state).inc()


def refused(code: str) -> None:
    """Counts a problem."""
    PROBLEMS.labels(code).inc()


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Counts an answer, and how long it took in s, by the rule that the request fits; ``none`` where it fits none."""
    REQUESTS.labels(method if method in METHODS else "other", route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule is not None else "none"
    answered(request.method, route, response.status_code, time.perf_counter() - g.get("started", time.perf_counter()))
    return response
