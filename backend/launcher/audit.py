"""Runs ``python3 -m backend audit``: asks public databases for known vulnerabilities of the pinned packages."""

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
    """Audits the Python packages and then, whatever the result, those of the page; the tools print the findings.

    Returns:
        0 when no vulnerability is known, 1 when one is, or when a database did not answer.

    Raises:
        SetupError: pip-audit or Node.js cannot be installed.
    """
    tools = os.path.join(project.backend, "build", "audit")  # apart from the environment, whose packages are pinned
    install = [project.python, "-m", "pip", "install", "--upgrade", "--target", tools, PIP_AUDIT, *PIP_OPTIONS]
    run_step("Fetching pip-audit", install, log=project.log, remedy=ONLINE)
    env = {**page.node_environment(project), "PYTHONPATH": tools}
    npm = page.npm_command(project, env)
    # strict: a package that the database cannot look up does not count as free of vulnerabilities
    options = ["--strict", "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    lock = ["--requirement", project.lock("dev")]  # includes the others
    python = _ask("Python packages", [project.python, "-m", "pip_audit", *options, *lock], project.backend, env)
    return python | _ask("the page's packages", [*npm, "audit"], project.frontend, env)


def _ask(what: str, command: list[str], folder: str, env: dict[str, str]) -> int:
    say(f"\n== {what}")
    if not subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL).returncode:
        return 0
    say(f"The lines above name known vulnerabilities of {what}, or say that the database did not answer. {ONLINE}")
    return 1
