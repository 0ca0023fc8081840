"""Measures R10 to R15 by tests of the project: resuming, downloads, damaged models, headers, the API document."""

from __future__ import annotations

from functools import partial

from benchmarks.promises.lines import Line, by_tests

SHOWN = {
    "R10": (
        "training interrupted at any point resumes to the same bytes; a full disk leaves the last good state",
        [
            "tests/training/test_loop.py",
            "tests/core/test_atomic_write.py",
            "-k",
            "killed or resumes or disk or failed_write",
        ],
    ),
    "R11": (
        "interrupted scoring resumes: every file exactly once",
        ["tests/cli/test_resuming.py"],
    ),
    "R12": (
        "downloads that are interrupted, replaced or truncated never get the final name",
        ["tests/core/test_download.py"],
    ),
    "R13": ("damaged and pickled models are refused, no code runs", ["tests/models/test_checkpoint.py"]),
    "R14": ("security headers everywhere, no foreign origin", ["tests/api/test_headers.py"]),
    "R15": (
        "the API conforms to its OpenAPI document",
        ["tests/api/test_openapi.py", "tests/api/test_document_holds.py"],
    ),
}


def shown(promise: str, full: bool) -> list[Line]:
    """Runs the tests of one promise."""
    wanted, tests = SHOWN[promise]
    return [by_tests(promise, wanted, [*tests, "-m", "not corpus"], full)]


MEASURES = {promise: partial(shown, promise) for promise in SHOWN}
