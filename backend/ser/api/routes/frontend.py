"""Serves the built page: its files, cache headers, and ``index.html`` for client-side routes.

``PagePath`` excludes the API's addresses, so that a wrong one gets a problem document and not the page.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path, PurePosixPath

from flask import Blueprint, Flask, Response, abort, request, send_from_directory
from werkzeug.routing import PathConverter

from ser.api.context import settings
from ser.api.errors import RequestError

RESERVED = ("api", "docs", "health", "metrics", "openapi.json", "predict", "ready", "upload")
HASHED = "assets"  # the names of these files contain a hash of their content
YEAR_SECONDS = 365 * 24 * 3600

# Windows may report other types for some of these, and browsers must not guess (nosniff).
TYPES = {
    ".css": "text/css",
    ".flac": "audio/flac",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}

GZIPPED = (".css", ".html", ".js", ".json", ".mjs", ".svg", ".webmanifest")

routes = Blueprint("page", __name__)


class PagePath(PathConverter):
    """Matches any path whose first part is not ``RESERVED``."""

    regex = rf"(?!(?:{'|'.join(name.replace('.', '[.]') for name in RESERVED)})(?:/|$)).+"


def register(app: Flask) -> None:
    """Serves the page of ``settings.frontend``."""
    app.url_map.converters["page"] = PagePath
    app.register_blueprint(routes)


@routes.get("/")
@routes.get("/<page:path>")
def page(path: str = "") -> Response:
    """Answers with a file of the page; a path that is not a file is a client-side route."""
    folder = settings().frontend
    if path and _is_file(folder, path):
        return _send(folder, path)
    if PurePosixPath(path).suffix or path.split("/")[0] == HASHED:
        abort(404)
    if not (folder / "index.html").is_file():
        raise RequestError(
            "The page is not built; 'python3 -m backend setup' builds it. The API works without it: see /docs.",
            "not_found",
        )
    return _send(folder, "index.html")


def _is_file(folder: Path, path: str) -> bool:
    """Whether ``path`` is a file inside ``folder``, after resolving links and ".."."""
    try:
        file = (folder / path).resolve()
        return file.is_relative_to(folder.resolve()) and file.is_file()
    except (OSError, ValueError):
        return False


def _send(folder: Path, path: str) -> Response:
    suffix = PurePosixPath(path).suffix.lower()
    answer = send_from_directory(folder.resolve(), path, mimetype=TYPES.get(suffix, "application/octet-stream"))
    hashed = path.startswith(f"{HASHED}/")
    answer.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable" if hashed else "no-cache"
    return _gzipped(answer, folder / path) if suffix in GZIPPED else answer


def _gzipped(answer: Response, file: Path) -> Response:
    """Compresses a file if the client accepts that; leaves 304 and partial answers as they are."""
    answer.vary.add("Accept-Encoding")
    if answer.status_code != 200 or not request.accept_encodings.quality("gzip"):
        return answer
    tag = answer.get_etag()[0]
    answer.close()
    answer.direct_passthrough = False
    answer.set_data(_compressed(file, tag))
    answer.set_etag(f"{tag}-gzip")
    answer.content_encoding = "gzip"
    return answer.make_conditional(request)


@lru_cache(maxsize=256)
def _compressed(file: Path, tag: str) -> bytes:
    """Returns the compressed content of a file; ``tag`` changes with it and keys the cache."""
    return gzip.compress(file.read_bytes())
