"""Collects counts and times for operators and serves them in Prometheus' text format at ``/metrics``.

Several workers each write to a folder that the supervisor created (``PROMETHEUS_MULTIPROC_DIR``), and any of them
returns the sum. The metrics contain nothing about recordings, names or owners.
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

REQUESTS = Counter("ser_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram("ser_request_seconds", "Response time.", ["route"], buckets=BUCKETS)
STAGES = Histogram("ser_stage_seconds", "Time per stage of an analysis.", ["stage"], buckets=BUCKETS)
PREDICTIONS = Counter("ser_predictions", "Recordings by outcome.", ["model", "outcome"])
PROBLEMS = Counter("ser_problems", "Problems returned.", ["code"])
RUNNING = Gauge("ser_predictions_running", "Recordings being analysed.", multiprocess_mode="livesum")
WAITING = Gauge("ser_predictions_waiting", "Requests waiting for an analysis.", multiprocess_mode="livesum")

routes = Blueprint("metrics", __name__)


@routes.get("/metrics")
def metrics() -> Response:
    """Answers with all metrics."""
    registry = REGISTRY
    if os.environ.get(FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return Response(latest(registry), content_type=CONTENT_TYPE_LATEST)


def register(app: Flask) -> None:
    """Counts every request of ``app`` by its route; ``request_log`` must be registered, too."""
    app.register_blueprint(routes)
    app.after_request(_count)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Measures the time of a stage of an analysis: ``wait``, ``decode``, ``predict`` or ``describe``."""
    began = time.perf_counter()
    try:
        yield
    finally:
        STAGES.labels(name).observe(time.perf_counter() - began)


def predicted(model: str, state: str) -> None:
    """Counts an analysed recording by the state of its prediction."""
    PREDICTIONS.labels(model, state).inc()


def refused(code: str) -> None:
    """Counts a problem."""
    PROBLEMS.labels(code).inc()


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Counts an answer and its response time in s by route; ``none`` for unknown addresses."""
    REQUESTS.labels(method if method in METHODS else "other", route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule is not None else "none"
    answered(request.method, route, response.status_code, time.perf_counter() - g.get("started", time.perf_counter()))
    return response
