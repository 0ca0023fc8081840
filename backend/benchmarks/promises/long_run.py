"""Measures a server over ten minutes of mixed requests, as the last line of the scorecard."""

from __future__ import annotations

from benchmarks.local_server import running_server
from benchmarks.promises.lines import Line
from benchmarks.promises.load import held
from benchmarks.speed.soak import soak


def ten_minutes(full: bool) -> list[Line]:
    """Uploads, live sessions, stored and deleted sessions, and profiles; all of them must occur."""
    minutes = 10.0 if full else 0.2
    with running_server() as server:
        found = soak(server, 60 * minutes, float("inf"))
    asked = ", ".join(f"{status}: {number}" for status, number in sorted(found.statuses.items()))
    visits = ", ".join(f"{kind} {number}" for kind, number in sorted(found.visits.items()))
    passed = found.flat and not found.errors and (not full or set(found.visits) == {"stored", "live", "profile"})
    return [
        Line(
            "SOAK",
            f"{minutes:g} minutes of recordings, live sessions, stored sessions, profiles: nothing grows, no 5xx",
            f"{held(found)}; {asked}; owners' visits: {visits}",
            passed,
        )
    ]


MEASURES = {"SOAK": ten_minutes}
