"""Builds the JSON of a stored session, recorded or live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ser.api.context import registry
from ser.core.prediction import Prediction
from ser.storage.sessions import Session, Sessions


def findings(mine: Sessions, session: Session) -> dict[str, Any]:
    """Returns the answer of ``/api/v1/analyse``; for a live session, from the chunks so far."""
    from ser.inference.streaming import result_of  # imports torch, which reads the number of threads on import

    stored = mine.result(session.id)
    return result_of(merged(mine, session)) if stored is None else stored


def prediction_of(mine: Sessions, session: Session) -> Prediction:
    """Returns a session's prediction."""
    stored = mine.result(session.id)
    return merged(mine, session) if stored is None else Prediction.from_dict(stored["prediction"])


def merged(mine: Sessions, session: Session) -> Prediction:
    """Returns the prediction of a live session from the chunks that came so far."""
    from ser.inference.streaming import merge_chunks

    info = registry().get(session.model).info
    return merge_chunks(info, mine.chunks(session.id), session.title, session.emotions)


def detail(mine: Sessions, session: Session) -> dict[str, Any]:
    """Returns a session with everything but the audio."""
    from ser.inference.streaming import result_of

    stored = mine.result(session.id)
    if stored is None:
        prediction = merged(mine, session)
        return complete(mine, session, prediction, result_of(prediction))
    prediction = Prediction.from_dict(stored["prediction"])
    current = {**stored, "prediction": prediction.to_dict()}  # with the fields that came since it was stored
    return complete(mine, session, prediction, current)


def complete(mine: Sessions, session: Session, prediction: Prediction, result: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a session with its result, marks and statistics; ``result`` holds the prediction as JSON, too."""
    from ser.inference.streaming import summarise

    return {**asdict(session), **result, "marks": mine.marks(session.id), "statistics": summarise(prediction)}
