"""HTML reports: self-contained, without scripts, and accessible."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from ser.evaluation.html import TEMPLATES, write_page

ALLOWED = ("data:", "#")


class Page(HTMLParser):
    """Collects what a page would load, its headings and the images without alternative text."""

    def __init__(self, text: str):
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.silent: list[str] = []
        self.language = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.language = given.get("lang") or self.language
        addresses = [given.get(name) or "" for name in ("src", "srcset", "data", "poster")]
        addresses += [given.get("href") or ""] if tag != "a" else []
        self.loaded += [address for address in addresses if address and not address.startswith(ALLOWED)]
        if tag == "img" and not given.get("alt"):
            self.silent.append(given.get("src", ""))


def check_page(file: Path) -> str:
    """Asserts that a page is a single file without scripts and accessible; returns its text."""
    text = file.read_text(encoding="utf-8")
    page = Page(text)
    assert page.loaded == [] and "url(" not in text and "@import" not in text
    assert not {"script", "iframe", "object", "embed"} & set(page.tags)
    assert page.silent == [] and page.language == "en"
    assert page.tags.count("h1") == 1 and {"header", "main", "footer", "title"} <= set(page.tags)
    assert "prefers-color-scheme: dark" in text and 'name="viewport"' in text
    return text


def test_the_check_detects_violations(tmp_path):
    file = tmp_path / "page.html"
    for bad in ("<script>1</script>", '<img src="https://x/y.png" alt="y">', '<link href="style.css">', "<img src=''>"):
        file.write_text(f'<html lang="en"><h1>x</h1>{bad}', encoding="utf-8")
        with pytest.raises(AssertionError):
            check_page(file)


def test_templates_are_found_from_any_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_page(tmp_path / "page.html", "base.html", {})
    assert TEMPLATES.is_absolute() and (tmp_path / "page.html").read_text(encoding="utf-8").startswith(
        "<!doctype html>"
    )
