"""Routes of speaker profiles: made from recordings, listed and deleted by their owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apiflask import APIBlueprint

from ser.api import session_schemas
from ser.api.auth import owner
from ser.api.context import decoded, place, registry, settings, store
from ser.api.openapi import problems
from ser.api.uploads import read_files, text_field
from ser.audio.waveform import Waveform
from ser.core.errors import AudioError
from ser.core.speaker_profile import check_name
from ser.storage.profiles import delete_profile, list_profiles, save_profile

MAX_FILES = 20
SHORTEST_SECONDS = 0.01  # shorter than any valid recording

routes = APIBlueprint("profiles", __name__)


@routes.get("/api/v1/profiles")
@routes.output(session_schemas.Profiles, description="The speaker profiles of the owner, by name.")
@routes.doc(
    tags=["Profiles"],
    operation_id="listProfiles",
    summary="List the speaker profiles",
    security="owner",
    responses=problems(401, 500, 503),
)
def profiles() -> Any:
    """Lists the owner's profiles, without their statistics."""
    whose = owner()
    return {"profiles": [profile.summary for profile in list_profiles(store(), whose)]}


@routes.post("/api/v1/profiles")
@routes.output(session_schemas.NewProfile, status_code=201, description="The new profile, and what would improve it.")
@routes.doc(
    tags=["Profiles"],
    operation_id="makeProfile",
    summary="Make a speaker profile",
    description="Five to twenty short recordings of one person in varied moods are best; they need no labels. "
    "Statistics of the voice are stored, never audio. A profile of the same name is replaced.",
    security="owner",
    responses=problems(400, 401, 404, 413, 422, 429, 500, 503),
)
def enroll() -> Any:
    """Makes a profile from the recordings of the form."""
    whose, database = owner(), store()
    with place():
        sources = read_files(("file",), MAX_FILES)  # first: it reports a damaged form
        name = check_name(text_field("name") or "")
        predictor = registry().get(text_field("model"))
        profile = predictor.enroll(name, _decoded(sources))
    save_profile(profile, database, whose)
    better = profile.warnings
    return {"profile": profile.summary, "warnings": list(better.values()), "warning_codes": list(better)}, 201


def _decoded(sources: Sequence[tuple[str, bytes]]) -> list[Waveform]:
    """Decodes recordings that together may be as long as one; errors name the file.

    Raises:
        AudioError: a recording cannot be used, or they are too long together.
    """
    longest = left = settings().max_audio_seconds
    waveforms = []
    for name, content in sources:
        try:
            waveforms.append(decoded(content, max(left, SHORTEST_SECONDS)))
        except AudioError as error:
            detail = f"{name}: {error}"
            if error.code == "audio_too_long" and waveforms:
                detail = f"The recordings are longer than {longest / 60:g} min in total; leave some out."
            raise AudioError(detail, error.code) from error
        left -= waveforms[-1].seconds
    return waveforms


@routes.delete("/api/v1/profiles/<name>")
@routes.output({}, status_code=204, description="Deleted.")
@routes.doc(
    tags=["Profiles"],
    operation_id="deleteProfile",
    summary="Permanently delete a profile",
    security="owner",
    responses=problems(400, 401, 404, 429, 500, 503),
)
def delete(name: str) -> Any:
    """Deletes a profile."""
    whose = owner()
    delete_profile(name, store(), whose)
    return "", 204
