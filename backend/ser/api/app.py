"""Owns the application: puts routes, problems, protection and the page together; holds no state of its own."""

from __future__ import annotations

from apiflask import APIFlask

from ser import __version__
from ser.api import access, docs, openapi, page, problems, routes_meta, routes_predict, security, state
from ser.api.registry import ModelRegistry
from ser.api.uploads import MemoryRequest
from ser.settings import Settings


def create_app(settings: Settings, registry: ModelRegistry | None = None) -> APIFlask:
    """Makes the WSGI application.

    Args:
        settings: limits, folders, allowed origins.
        registry: the models; its ``load_default`` has to be called by whoever serves the application. Until it
            returned, ``/health`` answers 503.
    """
    app = APIFlask(__name__, title="Speech Emotion", version=__version__, docs_path=None, static_folder=None)
    app.request_class = MemoryRequest
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes
    app.json.sort_keys = False
    app.json.ensure_ascii = False
    state.attach(app, settings, registry or ModelRegistry(settings))
    security.register(app, settings)
    access.register(app)
    problems.register(app)
    openapi.describe(app)
    for routes in (routes_predict.routes, routes_meta.routes, docs.routes):
        app.register_blueprint(routes)
    page.register(app)
    return app
