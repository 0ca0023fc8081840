"""Routes that describe the server: health, readiness, models, limits and version."""

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
@routes.output(schemas.Health, description="The model is loaded.")
@routes.doc(
    tags=["About"], operation_id="health", summary="Check that the model is loaded", responses=problems(500, 503)
)
def health() -> Any:
    """Answers 200 once the default model is loaded."""
    if not registry().ready:
        raise RequestError("The model is still loading. Try again in a few seconds.", "not_ready")
    return {"status": "ok", "models": registry().loaded, "version": __version__}


@routes.get("/ready")
@routes.output(schemas.Ready, description="The server accepts recordings.")
@routes.doc(
    tags=["About"],
    operation_id="ready",
    summary="Check that the server accepts recordings now",
    description="For load balancers; /health says whether the server is alive.",
    responses=problems(500, 503),
)
def ready() -> Any:
    """Answers 200 if the default model is loaded and a recording would be accepted."""
    if not registry().ready:
        raise RequestError("The model is still loading. Try again in a few seconds.", "not_ready")
    if gate().full:
        raise RequestError("Too many recordings are being analysed. Ask again in a second.", "too_busy")
    return {"status": "ready"}


@routes.get("/api/v1/models")
@routes.output(schemas.Models, description="Every model that a request may name.")
@routes.doc(
    tags=["About"],
    operation_id="listModels",
    summary="List the models",
    description="Each with its figures on unseen speakers, if it was evaluated.",
    responses=problems(500),
)
def models() -> Any:
    """Lists the models and the default one."""
    from ser.data.corpus import allow_commercial_use  # not needed to start, and imports requests
    from ser.models.checkpoint import most_accurate

    infos = registry().models()
    best = most_accurate(infos)
    derived = ("commercial_use", "most_accurate")
    listed = [
        {name: getattr(info, name) for name in schemas.Model.model_fields if name not in derived}
        | {"commercial_use": allow_commercial_use(info.corpora), "most_accurate": info is best}
        for info in infos
    ]
    return {"default": registry().default, "models": listed}


@routes.get("/api/v1/limits")
@routes.output(schemas.Limits, description="The limits of a request.")
@routes.doc(
    tags=["About"],
    operation_id="getLimits",
    summary="Get the limits on size and length of a recording",
    responses=problems(500),
)
def limits() -> Any:
    """Answers with the current limits."""
    return {
        "max_upload_bytes": settings().max_upload_bytes,
        "max_audio_seconds": settings().max_audio_seconds,
        "min_audio_seconds": MIN_SECONDS,
        "formats": list(FORMATS),
    }


@routes.get("/api/v1/version")
@routes.output(schemas.Version, description="The version of the software.")
@routes.doc(tags=["About"], operation_id="getVersion", summary="Get the version", responses=problems(500))
def version() -> Any:
    """Answers with the version."""
    return {"version": __version__}
