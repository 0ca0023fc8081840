"""Commands about whose voice it is: profiles that a model is calibrated with."""

from __future__ import annotations

from typing import Annotated

import typer

from ser.cli.options import ModelOption
from ser.cli.predict import recordings


def enroll(
    name: Annotated[str, typer.Argument(help="Name of the profile.")],
    sources: Annotated[list[str], typer.Argument(help="Recordings of that person, best in varied moods; or folders.")],
    model: ModelOption = None,
) -> None:
    """Calibrates a model to one person's voice; predict --speaker NAME then uses it.

    Five to twenty short recordings in varied moods are best; they need no labels. What is kept are statistics of the
    voice, never audio: see 'profiles'.
    """
    from ser.core.settings import load_settings
    from ser.inference.predictor import load_predictor
    from ser.models.speaker_offset import VARIED
    from ser.storage.database import LOCAL, opened
    from ser.storage.profiles import save_profile

    settings = load_settings()
    predictor = load_predictor(model or settings.model, settings)
    with opened(settings.database_url) as store:
        profile = predictor.enrol(name, [path for _, path in recordings(sources)])
        save_profile(profile, store, LOCAL)
    typer.echo(
        f"{profile.name}: {profile.clips} recordings, {profile.speech_seconds:g} s of speech, for {profile.model}"
    )
    for warning in profile.warnings(VARIED).values():
        typer.echo(f"ser: {warning}", err=True)


def profiles(
    delete: Annotated[str | None, typer.Option(help="Delete the profile of this name for good.")] = None,
) -> None:
    """Lists the profiles of voices, or deletes one."""
    from ser.core.settings import load_settings
    from ser.storage.database import LOCAL, opened
    from ser.storage.profiles import delete_profile, list_profiles

    with opened(load_settings().database_url) as store:
        if delete is not None:
            delete_profile(delete, store, LOCAL)
            typer.echo(f"{delete}: deleted")
            return
        found = list_profiles(store, LOCAL)
    for profile in found:
        typer.echo(
            f"{profile.name}: {profile.clips} recordings, {profile.speech_seconds:g} s of speech, "
            f"for {profile.model}, made {profile.created}"
        )
