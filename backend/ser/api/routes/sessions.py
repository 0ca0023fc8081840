"""Routes of stored sessions: listed, shown, renamed, exported and deleted by their owner."""

from __future__ import annotations

import io
import re
from typing import Any

from apiflask import APIBlueprint
from flask import Response, send_file

from ser.api import session_schemas
from ser.api.auth import sessions
from ser.api.openapi import attachments, problems
from ser.api.routes.session_view import detail, prediction_of
from ser.inference.export import FORMATS, Form
from ser.storage.sessions import Session, Sessions

JSON = Form("json", ".json", "application/json")
DOWNLOADS = {JSON.name: JSON, **FORMATS}
_UNFIT = re.compile(r'[<>:"/\\|?*]+')  # in file names on some systems

routes = APIBlueprint("sessions", __name__)


@routes.get("/api/v1/sessions")
@routes.input(session_schemas.SessionQuery, location="query")
@routes.output(session_schemas.SessionPage, description="A page of the owner's sessions, newest first.")
@routes.doc(
    tags=["Sessions"],
    operation_id="listSessions",
    summary="List the stored sessions",
    security="owner",
    responses=problems(400, 401, 500, 503),
)
def page(query_data: session_schemas.SessionQuery) -> Any:
    """Lists the owner's sessions."""
    total, found = sessions().page(**query_data.model_dump())
    return {"total": total, "sessions": found}


@routes.delete("/api/v1/sessions")
@routes.output(session_schemas.Deleted, description="Deleted.")
@routes.doc(
    tags=["Sessions"],
    operation_id="deleteSessions",
    summary="Permanently delete all sessions of the owner",
    security="owner",
    responses=problems(401, 429, 500, 503),
)
def delete_all() -> Any:
    """Deletes every session of the owner."""
    return {"deleted": sessions().delete_all()}


@routes.get("/api/v1/sessions/<id>")
@routes.output(session_schemas.Session, description="Everything but the audio.")
@routes.doc(
    tags=["Sessions"],
    operation_id="getSession",
    summary="Show a session",
    description="The stored analysis; for a live session, the result of its chunks so far.",
    security="owner",
    responses=problems(401, 404, 500, 503),
)
def show(id: str) -> Any:
    """Shows a session with everything but the audio."""
    mine = sessions()
    return detail(mine, mine.get(id))


@routes.patch("/api/v1/sessions/<id>")
@routes.input(session_schemas.Renaming)
@routes.output(session_schemas.SessionSummary, description="The session with its new title.")
@routes.doc(
    tags=["Sessions"],
    operation_id="renameSession",
    summary="Rename a session",
    security="owner",
    responses=problems(400, 401, 404, 413, 429, 500, 503),
)
def rename(id: str, json_data: session_schemas.Renaming) -> Any:
    """Renames a session."""
    return sessions().rename(id, json_data.title)


@routes.delete("/api/v1/sessions/<id>")
@routes.output({}, status_code=204, description="Deleted.")
@routes.doc(
    tags=["Sessions"],
    operation_id="deleteSession",
    summary="Permanently delete a session",
    security="owner",
    responses=problems(401, 404, 429, 500, 503),
)
def delete(id: str) -> Any:
    """Deletes a session with everything that belongs to it."""
    sessions().delete(id)
    return "", 204


@routes.get("/api/v1/sessions/<id>/export")
@routes.input(session_schemas.ExportQuery, location="query")
@routes.doc(
    tags=["Sessions"],
    operation_id="exportSession",
    summary="Export a session",
    description="JSON contains everything that `GET /api/v1/sessions/{id}` shows, CSV one row, the other formats the "
    "segments as labels or subtitles. Marks are in JSON, Audacity labels (point labels) and TextGrid (a point tier).",
    security="owner",
    responses=attachments(DOWNLOADS.values(), {JSON.media_type: "Session"}) | problems(400, 401, 404, 500, 503),
)
def export(id: str, query_data: session_schemas.ExportQuery) -> Response:
    """Answers with a file in the requested format."""
    mine = sessions()
    session = mine.get(id)
    form = DOWNLOADS[query_data.format]
    content = _content(form, mine, session).encode()
    name = " ".join(_UNFIT.sub(" ", session.title).split()).strip(".") or "session"
    kind = f"{form.media_type}; charset=utf-8" if form.media_type.startswith("text/") else form.media_type
    return send_file(io.BytesIO(content), mimetype=kind, as_attachment=True, download_name=f"{name}{form.suffix}")


def _content(form: Form, mine: Sessions, session: Session) -> str:
    if form is JSON:
        return session_schemas.Session.model_validate(detail(mine, session)).model_dump_json(indent=2) + "\n"
    marks = [(mark.at, mark.note) for mark in mine.marks(session.id)]
    return FORMATS[form.name].write(prediction_of(mine, session), marks)
