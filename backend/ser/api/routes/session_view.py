"""Owns what is said about a kept session, whether it was a recording, is live, or was."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ser.api.context import registry
from ser.core.prediction import Prediction
from ser.storage.sessions import Session, Sessions


def findings(mine: Sessions, session: Session) -> dict[str, Any]:
    """Returns what ``/api/v1/analyse`` answers; of a session that is live, from the chunks that came so far."""
    from ser.inference.streaming import merge, result_of  # imports torch, which must see the number of threads first

    kept = mine.result(session.id)
    if kept is not None:
        return kept
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
        "prediction": prediction.to_dict(),  # with the fields that came since it was kept
        "marks": mine.marks(session.id),
        "statistics": summarise(prediction),
    }
