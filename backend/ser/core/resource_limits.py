"""Owns what a helper process may use: processor time, memory, files. POSIX only; elsewhere nothing is limited here.

The limits are the kernel's, so that code which is no longer in its right mind cannot lift them.
"""

from __future__ import annotations

import os

try:
    import resource
except ImportError:  # Windows
    resource = None

OPEN_FILES = 3  # stdin, stdout, stderr: no file and no socket can be opened beside them


def confine(memory_bytes: int) -> None:
    """Forbids this process to open anything, to write files, and to grow by more than ``memory_bytes``."""
    if resource is None:
        return
    used = _address_space()
    if used is not None:
        _limit("RLIMIT_AS", used + memory_bytes)
    _limit("RLIMIT_NOFILE", OPEN_FILES)
    _limit("RLIMIT_FSIZE", 0)
    _limit("RLIMIT_CORE", 0)  # a dump would hold audio


def allow_seconds(seconds: float) -> None:
    """Lets the kernel end this process once it has used so many more seconds of processor time, rounded up."""
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, hard))


def _limit(name: str, value: int) -> None:
    """Sets a limit for good; a system that does not know it goes without."""
    try:
        resource.setrlimit(getattr(resource, name), (value, value))
    except (AttributeError, ValueError, OSError):
        return


def _address_space() -> int | None:
    """Bytes of address space that this process has; None where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
