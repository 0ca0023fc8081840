"""Assembles the application from routes, problems, security headers and the page; holds no state of its own."""

from __future__ import annotations

import json
from typing import Any

from apiflask import APIFlask
from werkzeug.middleware.proxy_fix import ProxyFix

from ser import __version__
from ser.api import context, errors, headers, openapi, request_log, telemetry
from ser.api.context import Database
from ser.api.model_registry import ModelRegistry
from ser.api.routes import about, docs, frontend, live, profiles, recordings, sessions
from ser.api.uploads import MemoryRequest
from ser.audio.decode_worker import Decode
from ser.audio.waveform import decode
from ser.core.settings import Settings


def create_app(
    settings: Settings,
    registry: ModelRegistry | None = None,
    database: Database | None = None,
    *,
    decode: Decode = decode,
) -> APIFlask:
    """Creates the WSGI application.

    Args:
        settings: limits, folders, allowed origins.
        registry: the models; the caller must call its ``load_default``, and ``/health`` answers 503 until that has
            returned.
        database: of stored results, closed by the caller; if None, the one in ``settings``.
        decode: decodes uploads; a server for untrusted clients passes that of helper processes
            (``ser.audio.decode_worker``).
    """
    app = APIFlask(__name__, title="Speech Emotion", version=__version__, docs_path=None, static_folder=None)
    app.request_class = MemoryRequest
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes
    app.json.sort_keys = False
    app.json.ensure_ascii = False
    context.attach(
        app, settings, registry or ModelRegistry(settings), database or Database(settings.database_url), decode
    )
    headers.register(app, settings)
    for module in (request_log, telemetry, errors, context):
        module.register(app)
    openapi.describe(app)
    for module in (recordings, live, sessions, profiles, about, docs):
        app.register_blueprint(module.routes)
    frontend.register(app)
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)
    return app


def openapi_document() -> dict[str, Any]:
    """Returns the OpenAPI document; needs no model."""
    return json.loads(json.dumps(create_app(Settings()).spec))
