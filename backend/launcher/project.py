"""Names the project's folders and files; reads, writes and hashes small files."""

from __future__ import annotations

import os

# Lock file of each part; a part needs the ones before it, and each lock file includes the previous one.
LOCKS = {
    "serve": "requirements.lock",
    "train": "requirements-train.lock",
    "dev": "requirements-dev.lock",
}


class Project:
    """The project's folders as plain strings; ``root`` holds ``backend`` and ``frontend``."""

    def __init__(self, root: str):
        self.root = root
        self.backend = os.path.join(root, "backend")
        self.frontend = os.path.join(root, "frontend")
        self.venv = os.path.join(self.backend, ".venv")
        inside = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        self.python = os.path.join(self.venv, *inside)
        self.package_lock = os.path.join(self.frontend, "package-lock.json")
        self.dist = os.path.join(self.frontend, "dist")
        self.modules = os.path.join(self.frontend, "node_modules")
        self.setup_lock = os.path.join(self.backend, "build", "setup.lock")
        self.log = os.path.join(self.backend, "build", "setup.log")

    def lock(self, part: str) -> str:
        """Returns the file that pins the packages of a part, one of ``LOCKS``."""
        return os.path.join(self.backend, LOCKS[part])

    def stamp(self, part: str) -> str:
        """Returns the file that records the lock file a part was installed from."""
        return os.path.join(self.venv, "set-up-done" if part == "serve" else f"set-up-done-{part}")


def read(path: str) -> str:
    """Returns the text of a file, or an empty string if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def write(path: str, text: str) -> None:
    """Writes a file atomically."""
    part = path + ".part"
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(part, path)


def remove(path: str) -> None:
    """Deletes a file if it is there."""
    if os.path.lexists(path):
        os.remove(path)


def digest(path: str) -> str:
    """Returns the SHA-256 of a file, hexadecimal."""
    import hashlib

    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
