"""``LICENCES.md`` lists every locked package with its version and licence."""

from __future__ import annotations

import re

from tests.tools.record_licences import LIST, licence, packages, pins

TEXT = LIST.read_text(encoding="utf-8")
AGAIN = "regenerate it: python -m tests.tools.record_licences"


def test_every_python_package_is_listed_with_its_pinned_version():
    found = {tuple(row.split(" | "))[:2] + (row.split(" | ")[-1],) for row in re.findall(r"^\| (.+) \|$", TEXT, re.M)}
    assert not set(pins()) - found, AGAIN


def test_every_package_of_the_page_is_listed_with_its_pinned_version():
    missing = [name for name, version, stated in packages() if f"| {name} | {version} | {stated} |" not in TEXT]
    assert not missing, AGAIN


def test_gpl_components_are_named():
    assert "libx264" in TEXT and "libx265" in TEXT and "GPL" in TEXT


def test_ci_tools_are_named_and_pinned():
    lines = (LIST.parent / "tests" / "tools.lock").read_text(encoding="utf-8").splitlines()
    tools = [line for line in lines if line and not line.startswith("#")]
    assert tools and all(re.fullmatch(r"[\w-]+==[\d.]+", line) for line in tools)
    assert all(f"`{line.split('==')[0]}`" in TEXT for line in tools)


def test_listed_licences_match_the_package_metadata():
    for name in ("flask", "waitress", "av"):
        (version,) = [found for pinned, found, _ in pins() if pinned.lower() == name]
        assert f" | {version} | {licence(name)} |" in TEXT
