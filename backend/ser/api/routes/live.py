"""Routes of live sessions: numbered chunks, each answered once, however often and in whatever order they are sent.

The whole state of a session is in the database, so that any process answers any chunk. A limited number of chunks is
analysed at a time; clients resend refused ones, as they do after an outage.
"""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request

from ser.api import session_schemas, telemetry
from ser.api.auth import profile, sessions
from ser.api.context import decoded, place, registry
from ser.api.errors import RequestError
from ser.api.openapi import problems
from ser.api.routes.session_view import complete, detail, merged
from ser.core.labels import choose_emotions
from ser.storage.sessions import Chunk, Mark

routes = APIBlueprint("live", __name__)


@routes.post("/api/v1/live")
@routes.input(session_schemas.NewLive)
@routes.output(session_schemas.SessionSummary, status_code=201, description="The new session; send chunks to its id.")
@routes.doc(
    tags=["Live"],
    operation_id="beginLive",
    summary="Start a live session",
    security="owner",
    responses=problems(400, 401, 404, 413, 422, 429, 500, 503),
)
def begin(json_data: session_schemas.NewLive) -> Any:
    """Starts a live session and loads its model, before the first chunk arrives."""
    mine, voice = sessions(), profile(json_data.speaker)
    mine.check_room()
    with place():
        predictor = registry().get(json_data.model or (voice and voice.model))
    emotions = choose_emotions(json_data.emotions, predictor.info.labels)
    return mine.begin(json_data.title, predictor.info.name, json_data.speaker, emotions), 201


@routes.get("/api/v1/live/<id>")
@routes.output(session_schemas.LiveState, description="The chunks that the server has.")
@routes.doc(
    tags=["Live"],
    operation_id="getLive",
    summary="List the chunks that have arrived",
    description="After an outage, a client resends the missing ones.",
    security="owner",
    responses=problems(401, 404, 500, 503),
)
def received(id: str) -> Any:
    """Lists the chunks that the server has."""
    mine = sessions()
    return {"received": mine.received(id), "state": mine.get(id).state}


@routes.put("/api/v1/live/<id>/chunks/<int:sequence>")
@routes.input(session_schemas.ChunkQuery, location="query")
@routes.output(session_schemas.LiveChunk, description="The answer to these few seconds.")
@routes.doc(
    tags=["Live"],
    operation_id="sendChunk",
    summary="Send a chunk of a live session",
    description="A recording of its own of up to 3 s. The same chunk sent again gets the same answer and changes "
    "nothing; chunks may overlap and come in any order.",
    security="owner",
    responses=problems(400, 401, 404, 409, 413, 422, 429, 500, 503),
)
def send(id: str, sequence: int, query_data: session_schemas.ChunkQuery) -> Any:
    """Answers a chunk; one that is known, from the database."""
    from ser.inference.streaming import (  # imports torch, which reads the number of threads on import
        ADAPTED_CHUNKS,
        analyse_chunk,
        chunk_digest,
    )

    if sequence > session_schemas.MAX_SEQUENCE:
        raise RequestError(
            f"The chunk's number is {sequence}; expected 0 to {session_schemas.MAX_SEQUENCE}. Start another session.",
            "value_invalid",
        )
    mine = sessions()
    session, content, start = mine.get(id), request.get_data(cache=False), query_data.start
    found = mine.find_chunk(id, sequence, chunk_digest(content, start))
    if found is None:
        with place():
            predictor, voice = registry().get(session.model), profile(session.speaker)
            chunk = analyse_chunk(
                predictor,
                content,
                sequence=sequence,
                start=start,
                profile=voice,
                earlier=mine.chunks_before(id, sequence, ADAPTED_CHUNKS),
                emotions=session.emotions,
                decode=decoded,
            )
        telemetry.predicted(session.model, chunk.answer["state"])
        found = mine.add_chunk(id, chunk)
    return _shape(found)


@routes.post("/api/v1/live/<id>/marks")
@routes.input(session_schemas.NewMark)
@routes.output(session_schemas.Mark, status_code=201, description="The mark as stored.")
@routes.doc(
    tags=["Live"],
    operation_id="markMoment",
    summary="Mark a moment of a session",
    security="owner",
    responses=problems(400, 401, 404, 413, 422, 429, 500, 503),
)
def mark(id: str, json_data: session_schemas.NewMark) -> Any:
    """Marks a moment, also in an ended session."""
    return sessions().mark(id, Mark(at=json_data.at, note=json_data.note)), 201


@routes.post("/api/v1/live/<id>/end")
@routes.output(session_schemas.Session, description="The session with its timeline.")
@routes.doc(
    tags=["Live"],
    operation_id="endLive",
    summary="End a live session",
    description="It accepts no new chunks from then on. Ending it again has the same answer.",
    security="owner",
    responses=problems(401, 404, 429, 500, 503),
)
def end(id: str) -> Any:
    """Ends a session and stores its result."""
    from ser.inference.streaming import result_of

    mine = sessions()
    session = mine.close(id)
    if mine.result(id) is not None:
        return detail(mine, session)
    prediction = merged(mine, session)
    result = result_of(prediction)
    session = mine.conclude(id, prediction, result)
    return complete(mine, session, prediction, result)


def _shape(chunk: Chunk) -> dict[str, Any]:
    return {
        "sequence": chunk.sequence,
        "start": chunk.start,
        "end": chunk.end,
        "adapted_seconds": 0.0,  # of chunks stored by earlier versions
        **chunk.answer,
        "speech": chunk.speech,
    }
