"""Serves ``/docs``: Swagger UI, from a Python package with its files, and the list of problem codes.

Everything comes from this server and nothing is inline, so that the page works offline and under the strict
Content-Security-Policy.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, send_from_directory

from ser.api.errors import KINDS

OWN = Path(__file__).parents[1] / "static"
# Only what the page needs; the package also has an OAuth page.
ASSETS = {
    "swagger-ui.css": ("text/css", None),
    "swagger-ui-bundle.js": ("text/javascript", None),
    "docs.css": ("text/css", OWN),
    "docs.js": ("text/javascript", OWN),
}

routes = Blueprint("docs", __name__)


@routes.get("/docs")
def page() -> Response:
    """Answers with the documentation page."""
    template = (OWN / "docs.html").read_text(encoding="utf-8")
    answer = Response(template.replace("<!-- problems -->", _problems()), mimetype="text/html")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@routes.get("/docs/<name>")
def asset(name: str) -> Any:
    """Answers with one of the files that the page needs."""
    if name not in ASSETS:
        abort(404)
    mimetype, folder = ASSETS[name]
    source = folder or files("flask_swagger_ui") / "dist"
    return send_from_directory(str(source), name, mimetype=mimetype, max_age=3600)


def _problems() -> str:
    """Returns a definition list; the ``type`` of a problem links to its anchors."""
    return "\n".join(
        f'<dt id="{code}"><code>{code}</code> <span>{kind.status}</span></dt>'
        f"<dd>{escape(kind.title)}. {escape(kind.meaning)}</dd>"
        for code, kind in KINDS.items()
    )
