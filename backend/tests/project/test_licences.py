"""Everything that the lock files name stands in the list of licences, and what is not plain is said."""

from __future__ import annotations

import re

from tests.tools.record_licences import LIST, licence, packages, pins

TEXT = LIST.read_text(encoding="utf-8")
AGAIN = "write it again: python -m tests.tools.record_licences"


def test_every_python_package_is_listed_as_it_is_pinned():
    found = {tuple(row.split(" | "))[:2] + (row.split(" | ")[-1],) for row in re.findall(r"^\| (.+) \|$", TEXT, re.M)}
    assert not set(pins()) - found, AGAIN


def test_every_package_of_the_page_is_listed_as_it_is_pinned():
    missing = [name for name, version, told in packages() if f"| {name} | {version} | {told} |" not in TEXT]
    assert not missing, AGAIN


def test_the_parts_under_the_gpl_are_named():
    assert "libx264" in TEXT and "libx265" in TEXT and "GPL" in TEXT


def test_the_tools_of_ci_are_named_and_pinned():
    lines = (LIST.parent / "tests" / "tools.lock").read_text(encoding="utf-8").splitlines()
    tools = [line for line in lines if line and not line.startswith("#")]
    assert tools and all(re.fullmatch(r"[\w-]+==[\d.]+", line) for line in tools)
    assert all(f"`{line.split('==')[0]}`" in TEXT for line in tools)


def test_what_a_package_says_is_what_is_listed():
    for name in ("flask", "waitress", "av"):
        (version,) = [found for pinned, found, _ in pins() if pinned.lower() == name]
        assert f" | {version} | {licence(name)} |" in TEXT
