"""Answers recordings: ``/upload`` (the Prediction), ``/predict`` (in short) and ``/api/v1/analyse`` (everything, stored
as a session on request).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import request

from ser.api import schemas, telemetry
from ser.api.auth import profile, sessions
from ser.api.context import decoded, place, registry
from ser.api.errors import KINDS, RequestError
from ser.api.openapi import problems
from ser.api.uploads import Upload, flag_field, read_upload, text_field
from ser.core.errors import SettingsError
from ser.features.contours import follow
from ser.features.voice_report import measure
from ser.inference.windowing import make_grid

if TYPE_CHECKING:
    from ser.inference.predictor import Analysis

routes = APIBlueprint("recordings", __name__)

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
        analysis, milliseconds = _analysed(read_upload(), explain=False)
    return analysis.prediction.to_dict(), 200, _timing(milliseconds)


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
        analysis, milliseconds = _analysed(read_upload(), explain=False)
    prediction = analysis.prediction
    share = None if prediction.emotion is None else prediction.probabilities[prediction.emotion]
    answer = {
        "emotion": prediction.emotion,
        "confidence": None if share is None else round(share, 4),
        "probabilities": prediction.probabilities,
        "timestamp": datetime.now(UTC),
    }
    return answer, 200, _timing(milliseconds)


@routes.post("/api/v1/analyse")
@routes.output(schemas.Analysis, description="The analysis; without speech, its state is 'no_speech'.")
@routes.doc(
    tags=["Analyse"],
    operation_id="analyse",
    summary="Analyse a recording in full",
    description="The prediction, what the model attended to, and measures of the voice, as numbers and over time. With "
    "keep=true everything but the audio is stored as a session of the owner.",
    responses=PROBLEMS,
)
def analyse() -> Any:
    """Answers with the full analysis of the recording."""
    with place():
        sent = read_upload()
        keeper = sessions() if flag_field("keep") else None  # before the analysis, which needs an owner to be stored
        if keeper is not None:
            keeper.check_room()
        analysis, milliseconds = _analysed(sent, explain=True)
        with telemetry.stage("describe"):
            shape = _shape(analysis)
    session = None
    if keeper is not None:
        session = keeper.keep(analysis.prediction, shape, text_field("title") or sent.name, sent.speaker).id
    return {**shape, "session": session}, 200, _timing(milliseconds)


def _analysed(sent: Upload, *, explain: bool) -> tuple[Analysis, float]:
    """Returns the analysis of a recording, and its duration in ms.

    Args:
        sent: the recording and the requested options.
        explain: whether to compute what the model attended to.

    Raises:
        RequestError: invalid windows or coverage (``value_invalid``) or emotions (``emotions_invalid``), a speaker
            without an owner (``owner_missing``), a model that is still loading (``not_ready``), or a client that
            disconnected during a long analysis (``client_gone``).
        ModelError, ProfileError: the model or the profile is unknown, or they do not match.
        AudioError: the recording cannot be used.
        StoreError: a speaker is named and the database does not answer.
    """
    voice = profile(sent.speaker)
    predictor = registry().get(sent.model or (voice and voice.model))
    started = time.perf_counter()
    try:
        grid = make_grid(sent.window_seconds, sent.hop_seconds)
        waveform = decoded(sent.content)
        with telemetry.stage("predict"):
            found = predictor.analyse(
                waveform,
                sent.name,
                grid=grid,
                coverage=sent.coverage,
                profile=voice,
                emotions=sent.emotions,
                adapt=sent.adapt,
                explain=explain,
                check_cancelled=_awaited(),
            )
    except SettingsError as error:
        raise RequestError(str(error), error.code if error.code in KINDS else "value_invalid") from error
    telemetry.predicted(predictor.info.name, found.prediction.state)
    return found, 1000 * (time.perf_counter() - started)


def _awaited() -> Callable[[], None]:
    """Returns a check that ends the analysis once the client has disconnected, as far as the server can tell."""
    gone = request.environ.get("waitress.client_disconnected", lambda: False)

    def check() -> None:
        if gone():
            raise RequestError(
                "The connection was closed, at least for sending, before the answer was ready, and the analysis was "
                "stopped. Keep it open until the answer arrives.",
                "client_gone",
            )

    return check


def _timing(milliseconds: float) -> dict[str, str]:
    """Returns the header with the duration of the analysis."""
    return {"Server-Timing": f"analyse;dur={milliseconds:.1f}"}


def _shape(analysis: Analysis) -> dict[str, Any]:
    """Returns everything but the audio, as JSON."""
    voice = measure(analysis.samples, analysis.speech, everything=False)
    return {
        "prediction": analysis.prediction.to_dict(),
        "attention": None if analysis.attribution is None else asdict(analysis.attribution),
        "descriptors": [asdict(one) for one in voice.descriptors],
        "curves": [asdict(one) for one in follow(analysis.samples, analysis.speech)],
    }
