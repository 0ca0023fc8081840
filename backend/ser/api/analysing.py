"""Runs the analysis that an upload requests, for every route that accepts a recording."""

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
    """Returns the analysis of a recording, and its duration in ms.

    Args:
        sent: the recording and the requested options.
        explain: whether to compute what the model attended to.

    Raises:
        RequestError: invalid windows or coverage (``value_invalid``), a speaker without an owner (``owner_missing``), a
            model that is still loading (``not_ready``), or a client that disconnected during a long analysis
            (``client_gone``).
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
                explain=explain,
                between=_awaited(),
            )
    except SettingsError as error:
        raise RequestError(str(error), "value_invalid") from error
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


def timing(milliseconds: float) -> dict[str, str]:
    """Returns the header with the duration of the analysis."""
    return {"Server-Timing": f"analyse;dur={milliseconds:.1f}"}
