"""Owns the ways to send a recording: ``/upload`` (all there is to say) and ``/predict`` (the short answer)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint

from ser.api import schemas
from ser.api.openapi import problems
from ser.api.owners import profile
from ser.api.problems import RequestError
from ser.api.state import registry
from ser.api.uploads import read_upload
from ser.errors import SettingsError
from ser.prediction import Prediction
from ser.timeline import make_grid

routes = APIBlueprint("analyse", __name__)

PROBLEMS = problems(400, 401, 404, 413, 422, 500, 503)


@routes.post("/upload")
@routes.output(schemas.Prediction, description="The answer; also when nobody speaks (state 'no_speech').")
@routes.doc(
    tags=["Analyse"],
    operation_id="upload",
    summary="Name the emotion of a recording",
    description="Everything there is to say about one recording. Confidence is in percent. The recording is analysed "
    "in memory and not kept.",
    responses=PROBLEMS,
)
def upload() -> Any:
    """Answers with everything there is to say about the recording."""
    prediction, milliseconds = _analyse()
    return prediction.to_dict(), 200, _timing(milliseconds)


@routes.post("/predict")
@routes.output(schemas.ShortPrediction, description="The likeliest emotion; null when nobody speaks.")
@routes.doc(
    tags=["Analyse"],
    operation_id="predict",
    summary="Name the emotion of a recording, in short",
    description="The likeliest emotion with all probabilities as shares of 1.",
    responses=PROBLEMS,
)
def predict() -> Any:
    """Answers with the likeliest emotion and all probabilities."""
    prediction, milliseconds = _analyse()
    share = None if prediction.emotion is None else prediction.probabilities[prediction.emotion]
    answer = {
        "emotion": prediction.emotion,
        "confidence": None if share is None else round(share, 4),
        "probabilities": prediction.probabilities,
        "timestamp": datetime.now(UTC),
    }
    return answer, 200, _timing(milliseconds)


def _analyse() -> tuple[Prediction, float]:
    """Returns the prediction for the recording of the current request, and how long the model took in ms."""
    sent = read_upload()
    voice = profile(sent.speaker)
    predictor = registry().get(sent.model or (voice and voice.model))
    started = time.perf_counter()
    try:
        grid = make_grid(sent.window_seconds, sent.hop_seconds)
        prediction = predictor.predict(sent.content, sent.name, grid=grid, coverage=sent.coverage, profile=voice)
    except SettingsError as error:
        raise RequestError(str(error), "value_invalid") from error
    return prediction, 1000 * (time.perf_counter() - started)


def _timing(milliseconds: float) -> dict[str, str]:
    return {"Server-Timing": f"analyse;dur={milliseconds:.1f}"}
