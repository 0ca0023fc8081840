"""Owns the way from what a request asks about a recording to the model's answer, for every route that takes one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import request

from ser.api import telemetry
from ser.api.auth import profile
from ser.api.context import decoded, registry
from ser.api.errors import RequestError
from ser.api.uploads import Upload
from ser.core.errors import SettingsError
from ser.inference.windowing import make_grid

if TYPE_CHECKING:
    from ser.inference.predictor import Analysis


def analysed(sent: Upload, *, explain: bool) -> tuple[Analysis, float]:
    """Returns the answer to a recording, and how long that took in ms.

    Args:
        sent: the recording and what was asked for.
        explain: whether to say what counted.

    Raises:
        RequestError: windows or a coverage that there cannot be (``value_invalid``), a speaker without an owner
            (``owner_missing``), a model that is still loading (``not_ready``), or a client that has gone away while
            a long recording was looked at (``client_gone``).
        ModelError, ProfileError: the model or the profile is unknown, or they do not fit.
        AudioError: the recording cannot be used.
        StoreError: a speaker is named, and the database does not answer.
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
                explain=explain,
                check_cancelled=_awaited(),
            )
    except SettingsError as error:
        raise RequestError(str(error), "value_invalid") from error
    telemetry.predicted(predictor.info.name, found.prediction.state)
    return found, 1000 * (time.perf_counter() - started)


def _awaited() -> Callable[[], None]:
    """Returns what ends the work for a client that waits no longer, as far as the server can tell."""
    gone = request.environ.get("waitress.client_disconnected", lambda: False)

    def check() -> None:
        if gone():
            raise RequestError(
                "The connection was closed, at least for sending, before the answer was there; the analysis was ended. "
                "Keep it open until the answer has come.",
                "client_gone",
            )

    return check


def timing(milliseconds: float) -> dict[str, str]:
    """Returns the header that says how long the model took."""
    return {"Server-Timing": f"analyse;dur={milliseconds:.1f}"}
