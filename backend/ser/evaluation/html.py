"""Renders HTML pages from templates, each a self-contained file without scripts.

``templates/base.html`` has the style, in the colours of the product's own page, light and dark.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ser.core.atomic_write import write_text

TEMPLATES = Path(__file__).with_name("templates")


def write_page(file: Path, template: str, values: Mapping[str, object]) -> None:
    """Renders a template of ``templates`` and writes the page."""
    write_text(file, _environment().get_template(template).render(values))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": _percent, "points": _points, "count": _count, "embed": _embed}
    return environment


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def _points(difference: float) -> str:
    """A difference of two shares in percentage points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "\N{MINUS SIGN}")


def _count(number: float) -> str:
    """A number of clips; a mean over seeds may be fractional."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


def _embed(svg: str) -> str:
    """A data URL of an SVG image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
