"""Runs set-up programs with a log file, progress on stderr and clear failures, one set-up at a time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

LAST_LINES = 15
SECONDS_BETWEEN_NOTES = 10.0  # where stderr is not a terminal and a line cannot be overwritten


class SetupError(Exception):
    """Set-up cannot continue; the message states what happened and what to do."""


def say(text: str) -> None:
    """Prints a message on stderr; stdout belongs to the command that follows."""
    line = "\r\x1b[2K" if sys.stderr.isatty() else ""  # overwrites the progress note of another step
    print(f"{line}{text}", file=sys.stderr, flush=True)


def side_by_side(works: list[Callable[[], None]]) -> None:
    """Runs functions in parallel threads, each to its end even when another fails, so that finished work is kept.

    Raises:
        SetupError: at least one failed; the message joins those of all.
    """
    errors: list[Exception] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # raised below, in the thread that waits
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)  # with a short timeout, or Windows would block Ctrl-C
    for error in errors:
        if not isinstance(error, SetupError):
            raise error
    if errors:
        raise SetupError("\n\n".join(map(str, errors)))


def run_step(
    title: str,
    command: list[str],
    *,
    log: str,
    remedy: str,
    cwd: str | None = None,
    env: dict[str, str] | None = None,
    describe: Callable[[str], str | None] = lambda line: None,
) -> None:
    """Runs a program to its end.

    Args:
        title: printed before the program starts.
        command: program and arguments.
        log: file that the output is appended to.
        remedy: what to do if it fails.
        cwd: working directory.
        env: environment; inherited if None.
        describe: turns a line of output into a progress note, or None.

    Raises:
        SetupError: the program cannot be started, or fails.
    """
    say(title)
    os.makedirs(os.path.dirname(log), exist_ok=True)
    last: list[str] = []
    note = Note()
    with open(log, "a", encoding="utf-8", buffering=1) as file:  # complete lines: another step may write too
        file.write(f"$ {' '.join(command)}\n")
        try:
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                close_fds=False,  # the child inherits the lock of ``exclusive``
            )
        except OSError as error:
            raise SetupError(f"{command[0]} cannot be started: {error.strerror}. {remedy}") from error
        with child:
            for line in child.stdout or ():
                file.write(line)
                last = [*last, line.rstrip()][-LAST_LINES:]
                note.show(describe(line))
    note.clear()
    if child.returncode:
        tail = "\n".join(f"  | {line}" for line in last)
        raise SetupError(f"{tail}\n\nThat failed with code {child.returncode}. {remedy}\nFull output: {log}")


class Note:
    """A progress note: overwritten in place on a terminal, an occasional line elsewhere."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.last = time.monotonic()

    def show(self, text: str | None) -> None:
        """Shows a note; None changes nothing."""
        if text is None:
            return
        if self.terminal:
            print(f"\r\x1b[2K      {text[:70]}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self.last > SECONDS_BETWEEN_NOTES:
            self.last = time.monotonic()
            say(f"      {text}")

    def clear(self) -> None:
        """Erases the note from a terminal."""
        if self.terminal:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def exclusive(path: str) -> Iterator[None]:
    """Holds the lock ``path``; a second process waits.

    The system releases the lock when this process dies, and on POSIX only after its programs have ended too, as an
    orphaned pip must not write into an environment that is being recreated.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a+b") as file:
        if not _try_lock(file.fileno()):
            say("Another start is setting up; waiting for it.")
            while not _try_lock(file.fileno()):
                time.sleep(0.2)
        os.set_inheritable(file.fileno(), os.name != "nt")
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
