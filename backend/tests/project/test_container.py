"""The container file matches the project: copied files exist and settings are known. CI also runs hadolint on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from launcher.page import MIN_NODE
from launcher.start import MIN_PYTHON
from ser.core.settings import PROJECT, Settings

TEXT = (PROJECT / "backend" / "Containerfile").read_text(encoding="utf-8")
LEAST = {"python": MIN_PYTHON, "node": MIN_NODE}
MADE = ("frontend", "backend", "data", ".")  # hold set-up output, which must not get into an image


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yields the name of each instruction and its arguments."""
    whole = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    for line in filter(None, map(str.strip, whole.splitlines())):
        name, _, rest = line.partition(" ")
        yield name, rest.strip()


def faults(text: str) -> list[str]:
    """Returns the faults of a container file."""
    found, user = [], "root"
    for name, rest in instructions(text):
        words = rest.split()
        if name == "FROM":
            user, (image, _, tag) = "root", words[0].partition(":")
            version = tuple(map(int, re.findall(r"\d+", tag)))
            if not version or version < LEAST[image][: len(version)]:
                found.append(f"{words[0]} is not pinned, or too old")
        elif name == "COPY" and not words[0].startswith("--from="):
            found += [f"{source} is not there" for source in words[:-1] if not (PROJECT / source).exists()]
            found += [f"all of {source} is copied" for source in words[:-1] if str(Path(source)) in MADE]
        elif name == "ENV":
            known = {f"SER_{field.name.upper()}" for field in fields(Settings)}
            found += [f"{one} is no setting" for one in re.findall(r"(SER_\w+)=", rest) if one not in known]
        elif name == "USER":
            user = rest
        elif name in ("CMD", "ENTRYPOINT") and not rest.startswith("["):
            found.append(f"{name} goes through a shell, which keeps SIGTERM to itself")
        elif name == "ADD":
            found.append("ADD may fetch and unpack; COPY does not")
    return found + (["the program runs as root"] if user in ("root", "0") else [])


def test_the_container_file_has_no_faults():
    assert faults(TEXT) == []


@pytest.mark.parametrize(
    ("line", "other", "fault"),
    [
        ("USER 10001", "", "runs as root"),
        ("FROM node:24-slim", "FROM node:latest", "not pinned"),
        ("FROM python:3.12-slim AS", "FROM python:3.10-slim AS", "too old"),
        ("COPY weights", "COPY wights", "wights is not there"),
        ("COPY frontend/src src", "COPY frontend ./", "all of frontend"),
        ("SER_RUNS=", "SER_RUN=", "SER_RUN is no setting"),
        ('CMD ["python", "-m", "ser"', 'CMD python "-m" "ser"', "SIGTERM"),
    ],
)
def test_faults_are_detected(line, other, fault):
    assert line in TEXT
    assert fault in " ".join(faults(TEXT.replace(line, other)))


def test_the_image_runs_a_command_of_the_project():
    settings = dict(instructions(TEXT))
    assert json.loads(settings["CMD"])[:4] == ["python", "-m", "ser", "serve"]
    (url,) = re.findall(r"http://127.0.0.1:5000(/\w+)", settings["HEALTHCHECK"])
    assert f'"{url}"' in (PROJECT / "backend" / "openapi.json").read_text(encoding="utf-8")
    assert settings["EXPOSE"] in settings["CMD"]


def test_the_image_installs_only_the_serving_packages():
    copied = [rest.split()[0] for name, rest in instructions(TEXT) if name == "COPY" and "requirements" in rest]
    assert copied == ["backend/requirements.lock"]
