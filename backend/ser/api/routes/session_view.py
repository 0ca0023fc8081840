"""Builds the JSON of a stored session, recorded or live."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ser.api.context import registry
from ser.core.prediction import Prediction
from ser.storage.sessions import Session, Sessions


def findings(mine: Sessions, session: Session) -> dict[str, Any]:
    """Returns the answer of ``/api/v1/analyse``; for a live session, from the chunks so far."""
    from ser.inference.streaming import merge, result_of  # imports torch, which reads the number of threads on import

    stored = mine.result(session.id)
    if stored is not None:
        return stored
    info = registry().get(session.model).info
    return result_of(merge(info, mine.chunks(session.id), session.title))


def prediction_of(mine: Sessions, session: Session) -> Prediction:
    """Returns a session's prediction."""
    return Prediction.from_dict(findings(mine, session)["prediction"])


def detail(mine: Sessions, session: Session) -> dict[str, Any]:
    """Returns a session with everything but the audio."""
    from ser.inference.streaming import summarise

    found = findings(mine, session)
    prediction = Prediction.from_dict(found["prediction"])
    return {
        **asdict(session),
        **found,
        "prediction": prediction.to_dict(),  # with fields that were added since it was stored
        "marks": mine.marks(session.id),
        "statistics": summarise(prediction),
    }
