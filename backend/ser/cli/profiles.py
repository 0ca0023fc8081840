"""Defines the commands about speaker profiles: ``enroll`` and ``profiles``."""

from __future__ import annotations

from typing import Annotated

import typer

from ser.cli.options import ModelOption
from ser.cli.recordings import recordings
from ser.cli.sources import model_of


def enroll(
    name: Annotated[str, typer.Argument(help="Name of the profile.")],
    sources: Annotated[
        list[str], typer.Argument(help="Recordings of the person, or folders of them; varied moods are best.")
    ],
    model: ModelOption = None,
) -> None:
    """Makes a speaker profile, for predict --speaker NAME.

    A profile calibrates a model to one person's voice. Five to twenty short recordings in varied moods are best; they
    need no labels. Statistics of the voice are stored, never audio; 'profiles' lists and deletes profiles.
    """
    from ser.core.settings import load_settings
    from ser.inference.predictor import load_predictor
    from ser.storage.database import LOCAL, opened
    from ser.storage.profiles import save_profile

    settings = load_settings()
    predictor = load_predictor(model_of(model, settings), settings)
    with opened(settings.database_url) as store:
        profile = predictor.enroll(name, [path for _, path in recordings(sources)])
        save_profile(profile, store, LOCAL)
    typer.echo(
        f"{profile.name}: {profile.clips} recordings, {profile.speech_seconds:g} s of speech, for {profile.model}"
    )
    for warning in profile.warnings.values():
        typer.echo(f"ser: {warning}", err=True)


def profiles(
    delete: Annotated[str | None, typer.Option(help="Permanently delete the profile of this name.")] = None,
) -> None:
    """Lists the speaker profiles, or deletes one."""
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
            f"for {profile.model}, created {profile.created}"
        )
