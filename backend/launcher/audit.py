"""Owns ``python3 -m backend audit``: what public databases know against the packages pinned."""

from __future__ import annotations

import os
import subprocess

from launcher import page
from launcher.environment import PIP_OPTIONS
from launcher.project import Project
from launcher.steps import run_step, say

PIP_AUDIT = "pip-audit==2.10.1"
ONLINE = "This needs the internet: check the connection, then run the same command again."


def audit(project: Project) -> int:
    """Asks about both sides, also where one has something to say; its programs speak for themselves.

    Returns:
        0 when nothing is known against any package, 1 when something is, or when it could not be asked.

    Raises:
        SetupError: pip-audit or Node.js cannot be installed.
    """
    tools = os.path.join(project.backend, "build", "audit")  # beside the environment, whose packages are pinned
    install = [project.python, "-m", "pip", "install", "--upgrade", "--target", tools, PIP_AUDIT, *PIP_OPTIONS]
    run_step("Fetching pip-audit", install, log=project.log, remedy=ONLINE)
    env = {**page.node_environment(project), "PYTHONPATH": tools}
    npm = page.npm_command(project, env)
    # strict: a package that the database could not be asked about is no package without vulnerabilities
    lock = ["--strict", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--requirement", project.lock]
    python = _ask("Python packages", [project.python, "-m", "pip_audit", *lock], project.backend, env)
    return python | _ask("the page's packages", [*npm, "audit"], project.frontend, env)


def _ask(what: str, command: list[str], folder: str, env: dict[str, str]) -> int:
    say(f"\n== {what}")
    if not subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL).returncode:
        return 0
    say(f"The lines above name what is known against {what}, or say that nobody could be asked. {ONLINE}")
    return 1
