"""Owns what the server says about itself: whether it is ready, its models, limits and version."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from ser import __version__
from ser.api import schemas
from ser.api.context import gate, registry, settings
from ser.api.errors import RequestError
from ser.api.openapi import problems
from ser.audio.waveform import FORMATS, MIN_SECONDS

routes = APIBlueprint("about", __name__)


@routes.get("/health")
@routes.output(schemas.Health, description="Ready to analyse.")
@routes.doc(
    tags=["About"], operation_id="health", summary="Say whether the server is ready", responses=problems(500, 503)
)
def health() -> Any:
    """Answers 200 once the default model is loaded."""
    if not registry().ready:
        raise RequestError("The model is still being loaded. Try again in a few seconds.", "not_ready")
    return {"status": "ok", "models": registry().loaded, "version": __version__}


@routes.get("/ready")
@routes.output(schemas.Ready, description="Send work here.")
@routes.doc(
    tags=["About"],
    operation_id="ready",
    summary="Say whether the server can take work now",
    description="For whoever spreads requests over several servers; /health says whether this one lives.",
    responses=problems(500, 503),
)
def ready() -> Any:
    """Answers 200 where the default model is loaded and a recording would not be refused."""
    if not registry().ready:
        raise RequestError("The model is still being loaded. Try again in a few seconds.", "not_ready")
    if gate().full:
        raise RequestError("Too many recordings are being analysed at once. Ask again in a second.", "too_busy")
    return {"status": "ready"}


@routes.get("/api/v1/models")
@routes.output(schemas.Models, description="Every model that a request may name.")
@routes.doc(
    tags=["About"],
    operation_id="listModels",
    summary="List the models",
    description="Each with the figure it reached on speakers it never heard, where that was measured.",
    responses=problems(500),
)
def models() -> Any:
    """Lists the models and names the default one."""
    return {"default": registry().default, "models": registry().models()}


@routes.get("/api/v1/limits")
@routes.output(schemas.Limits, description="What a request may be.")
@routes.doc(
    tags=["About"],
    operation_id="getLimits",
    summary="Say how large and how long a recording may be",
    responses=problems(500),
)
def limits() -> Any:
    """Names the limits that are in force."""
    return {
        "max_upload_bytes": settings().max_upload_bytes,
        "max_audio_seconds": settings().max_audio_seconds,
        "min_audio_seconds": MIN_SECONDS,
        "formats": list(FORMATS),
    }


@routes.get("/api/v1/version")
@routes.output(schemas.Version, description="The version of the software.")
@routes.doc(tags=["About"], operation_id="getVersion", summary="Say the version", responses=problems(500))
def version() -> Any:
    """Names the version."""
    return {"version": __version__}
