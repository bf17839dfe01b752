"""Rendering a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, Response

from sandbox.honeycomb.standin import StandIn

# Values come from telemetry, so from strangers: everything is escaped, nothing may be loaded.
PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "pages"), autoescape=True
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def missing(standin: StandIn, what: str) -> Response:
    """A 404 for a person."""
    response = page(standin, "missing", what=what)
    response.status_code = 404
    return response


def page(standin: StandIn, name: str, **values: Any) -> Response:
    """A page of the folder `pages`, filled in."""
    text = PAGES.get_template(f"{name}.html").render(relaxed=standin.relaxed, **values)
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})
