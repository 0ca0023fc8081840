"""Finds the recordings of a command, and encodes those of one speaker together."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ser.core.errors import SerError, SettingsError

if TYPE_CHECKING:
    from ser.inference.adaptation import Speaker
    from ser.inference.predictor import Encoded, Predictor
    from ser.inference.windowing import Grid

Recording = tuple[str, Path]  # name, path; both are - for stdin


def recordings(sources: list[str]) -> Iterator[Recording]:
    """Yields (name, path) of every recording; folders are searched in order of names; - is stdin."""
    from ser.audio.waveform import SUFFIXES

    for source in sources:
        path = Path(source)
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        yield from ((str(p), p) for p in inside or [path])


def names_of_speakers(manifest: Path, sources: list[str], files: list[Recording]) -> list[str]:
    """Returns the name of each recording's speaker, empty for recordings that the CSV does not list."""
    from ser.data.manifest import path_key, read_speakers

    folders = [manifest.parent, Path(), *(path for path in map(Path, sources) if path.is_dir())]
    listed = read_speakers(manifest, folders)
    names = ["" if name == "-" else listed.get(path_key(path), "") for name, path in files]
    if not any(names):
        raise SettingsError(
            f"{manifest} lists none of the recordings; its paths may be relative to its own folder, to the current one "
            "or to a folder that is given."
        )
    if missing := names.count(""):
        typer.echo(f"ser: {missing} of {len(files)} recordings are not listed in {manifest}", err=True)
    return names


def encode_group(
    predictor: Predictor,
    files: list[Recording],
    grid: Grid,
    done: Counter[str],
    failures: list[SerError],
    *,
    adapt: bool,
) -> Iterator[tuple[Encoded, Speaker | None]]:
    """Yields the recordings of a group that are not done, encoded, and the speaker that their answers are adapted to.

    Those that are done are encoded as well, as the speaker is estimated from all; each counts once, also if given
    twice. A group that is done is left out.
    """
    from ser.data.manifest import path_key

    wanted = []
    for name, _ in files:
        wanted.append(done[name] <= 0)
        done[name] -= 1  # a file may be given twice
    if not any(wanted):
        return
    encoded = [_encode(predictor, path, name, grid, failures) for name, path in files]
    once = {path_key(path): one for (_, path), one in zip(files, encoded, strict=True) if one is not None}
    speaker = predictor.common_speaker(list(once.values())) if adapt else None
    yield from ((one, speaker) for one in compress(encoded, wanted) if one is not None)


def _encode(predictor: Predictor, path: Path, name: str, grid: Grid, failures: list[SerError]) -> Encoded | None:
    """Encodes a recording; an error is printed and added to the failures."""
    from ser.core.errors import AudioError

    try:
        if path.is_dir():
            raise AudioError("the folder contains no recording.", "audio_empty")
        return predictor.encode(sys.stdin.buffer.read() if name == "-" else path, name, grid=grid)
    except SettingsError:
        raise  # the same for every file
    except SerError as error:
        failures.append(error)
        typer.echo(f"ser: {name}: {error}", err=True)
        return None
