"""Limits the processor time, memory and files of a helper process. POSIX only; elsewhere nothing is limited here.

The kernel enforces the limits, so that compromised code cannot lift them.
"""

from __future__ import annotations

import os

try:
    import resource
except ImportError:  # Windows
    resource = None

OPEN_FILES = 3  # stdin, stdout, stderr: no other file or socket can be opened


def confine(memory_bytes: int) -> None:
    """Forbids this process to open or write files and to grow by more than ``memory_bytes``."""
    if resource is None:
        return
    used = _address_space()
    if used is not None:
        _limit("RLIMIT_AS", used + memory_bytes)
    _limit("RLIMIT_NOFILE", OPEN_FILES)
    _limit("RLIMIT_FSIZE", 0)
    _limit("RLIMIT_CORE", 0)  # a core dump would contain audio


def allow_seconds(seconds: float) -> None:
    """Has the kernel end this process after this many more seconds of processor time, rounded up."""
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, hard))


def _limit(name: str, value: int) -> None:
    """Sets a limit permanently; systems without it are left as they are."""
    try:
        resource.setrlimit(getattr(resource, name), (value, value))
    except (AttributeError, ValueError, OSError):
        return


def _address_space() -> int | None:
    """Returns the address space of this process in bytes; None if the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
