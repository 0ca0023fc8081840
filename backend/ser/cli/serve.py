"""Defines the commands ``serve``, ``models`` and ``openapi``."""

from __future__ import annotations

from typing import Annotated

import typer

from ser.cli.console import print_model


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port; the first free one from 5000 on by default.")] = None,
    browser: Annotated[bool, typer.Option("--open/--no-browser", help="Open the page in a browser.")] = False,
    model: Annotated[
        str | None, typer.Option(help="Model of requests that name none; SER_MODEL or cnn1d by default.")
    ] = None,
) -> None:
    """Serves the page and the API."""
    from dataclasses import replace

    from ser.api.server.run import run
    from ser.core.settings import load_settings

    settings = load_settings()
    run(replace(settings, model=model or settings.model), host=host, port=port, open_browser=browser)


def models() -> None:
    """Lists the models with their figures, and the recipes."""
    from ser.core.settings import load_settings
    from ser.models.checkpoint import list_models
    from ser.models.recipe import find_recipes

    for info in list_models(load_settings().weights):
        print_model(info)
    typer.echo("\nrecipes, for 'train' and 'evaluate':")
    for recipe in find_recipes().values():
        typer.echo(f"  {recipe.name}: {recipe.summary} Published protocol: {recipe.protocol}.")


def openapi() -> None:
    """Prints the OpenAPI document of the API."""
    import json

    from ser.api.app import openapi_document

    typer.echo(json.dumps(openapi_document(), indent=2, ensure_ascii=False))
