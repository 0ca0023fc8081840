"""Routes ``/upload`` (the full prediction) and ``/predict`` (a short answer)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint

from ser.api import schemas
from ser.api.analysing import analysed, timing
from ser.api.context import place
from ser.api.openapi import problems
from ser.api.uploads import read_upload

routes = APIBlueprint("predict", __name__)

PROBLEMS = problems(400, 401, 404, 413, 422, 429, 500, 503)


@routes.post("/upload")
@routes.output(schemas.Prediction, description="The prediction; without speech, its state is 'no_speech'.")
@routes.doc(
    tags=["Analyse"],
    operation_id="upload",
    summary="Predict the emotion of a recording",
    description="The full prediction for one recording, with confidence in percent. The recording is analysed in "
    "memory and never stored.",
    responses=PROBLEMS,
)
def upload() -> Any:
    """Answers with the full prediction for the recording."""
    with place():
        analysis, milliseconds = analysed(read_upload(), explain=False)
    return analysis.prediction.to_dict(), 200, timing(milliseconds)


@routes.post("/predict")
@routes.output(schemas.ShortPrediction, description="The likeliest emotion; null without speech.")
@routes.doc(
    tags=["Analyse"],
    operation_id="predict",
    summary="Predict the emotion of a recording (short answer)",
    description="The likeliest emotion with all probabilities, from 0 to 1.",
    responses=PROBLEMS,
)
def predict() -> Any:
    """Answers with the likeliest emotion and all probabilities."""
    with place():
        analysis, milliseconds = analysed(read_upload(), explain=False)
    prediction = analysis.prediction
    share = None if prediction.emotion is None else prediction.probabilities[prediction.emotion]
    answer = {
        "emotion": prediction.emotion,
        "confidence": None if share is None else round(share, 4),
        "probabilities": prediction.probabilities,
        "timestamp": datetime.now(UTC),
    }
    return answer, 200, timing(milliseconds)
