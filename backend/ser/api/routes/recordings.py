"""Owns ``/api/v1/analyse``: everything that can be said about one recording, kept as a session where that is asked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from ser.api import schemas, telemetry
from ser.api.analysing import analysed, timing
from ser.api.auth import sessions
from ser.api.context import place
from ser.api.openapi import problems
from ser.api.uploads import flag_field, read_upload, text_field
from ser.features.contours import follow
from ser.features.voice_report import measure

if TYPE_CHECKING:
    from ser.inference.predictor import Analysis

routes = APIBlueprint("analyse", __name__)


@routes.post("/api/v1/analyse")
@routes.output(schemas.Analysis, description="The answer; also when nobody speaks (state 'no_speech').")
@routes.doc(
    tags=["Analyse"],
    operation_id="analyse",
    summary="Say everything about a recording",
    description="The prediction, what the model attended to, and what the voice is like, as numbers and over time. "
    "With keep=true all of it but the audio is kept as a session of the owner.",
    responses=problems(400, 401, 404, 413, 422, 429, 500, 503),
)
def analyse() -> Any:
    """Answers with everything that can be said about the recording."""
    with place():
        sent = read_upload()
        keeper = sessions() if flag_field("keep") else None  # before the work: without an owner there is none
        if keeper is not None:
            keeper.check_room()
        analysis, milliseconds = analysed(sent, explain=True)
        with telemetry.stage("describe"):
            shape = _shape(analysis)
    session = None
    if keeper is not None:
        session = keeper.keep(analysis.prediction, shape, text_field("title") or sent.name, sent.speaker).id
    return {**shape, "session": session}, 200, timing(milliseconds)


def _shape(analysis: Analysis) -> dict[str, Any]:
    """Everything but the audio, as JSON."""
    voice = measure(analysis.samples, analysis.speech, everything=False)
    return {
        "prediction": analysis.prediction.to_dict(),
        "attention": None if analysis.attribution is None else asdict(analysis.attribution),
        "descriptors": [asdict(one) for one in voice.descriptors],
        "curves": [asdict(one) for one in follow(analysis.samples, analysis.speech)],
    }
