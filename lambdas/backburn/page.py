"""The approval page: rendered only from the document that is hashed, with no script at all."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import JsonValue

from .inputs import is_token
from .inputs import shown as words_of
from .preview import short
from .proposal import Proposal

FOLDER = Path(__file__).parent / "pages"
LONG = 300  # characters of a value on the page; the whole of it is in the record


def proposal(
    document: Proposal,
    *,
    digest: str,
    approver: str,
    decidable: bool,
    now: datetime,
    headline: str,
    problem: str = "",
    rejecting: bool = False,
) -> str:
    """The page of one proposal, for one approver."""
    left = document.effects.expires - now
    return _render(
        "proposal.html",
        proposal=document,
        digest=digest,
        approver=approver,
        decidable=decidable,
        minutes=max(0, int(left.total_seconds() // 60)),
        diff=diff_lines(document.effects.diff),
        headline=headline,
        problem=problem,
        rejecting=rejecting,
    )


def message(title: str, lines: Sequence[str], *, incident: str = "", tone: str = "") -> str:
    """A page that says one thing plainly."""
    return _render("message.html", title=title, lines=lines, incident=incident, tone=tone)


def headers() -> dict[str, str]:
    """What every page is sent with: nothing loads, nothing frames it, nothing remembers it."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "; ".join(f"{key} {value}" for key, value in policy.items()),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "x-robots-tag": "noindex, nofollow",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }


def diff_lines(diff: str) -> list[tuple[str, str]]:
    """The lines of a unified diff, each with what it is; what does not print is spelled out."""
    kinds = (("---", "file"), ("+++", "file"), ("@@", "hunk"), ("+", "add"), ("-", "del"))
    return [
        (next((kind for start, kind in kinds if line.startswith(start)), "same"), _spelled(line))
        for line in diff.removesuffix("\n").split("\n")  # as patch.py ends them, and nothing else
    ]


def _spelled(line: str) -> str:
    """Text in which nothing turns the reading direction, breaks the line or hides."""
    return "".join(
        c if c.isprintable() or c == "\t" else f"\\u{{{ord(c):x}}}" for c in line.removesuffix("\r")
    )


def _render(name: str, **values: object) -> str:
    return _environment().get_template(name).render(style=Markup(_style()), **values)  # noqa: S704  # our own file


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"short": short, "value": _value, "arrows": _arrows}
    environment.filters["sentence"] = _sentence
    environment.tests["web_link"] = _is_web_link
    return environment


def _value(value: JsonValue) -> str:
    """A bound value as text: it is escaped like any other."""
    if is_token(value):
        return words_of(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG else f"{text[:LONG]} ..."


def _arrows(text: str) -> str:
    """The plain arrows of mails as the page writes them."""
    return text.replace("->", "\N{RIGHTWARDS ARROW}")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is_web_link(link: str) -> bool:
    """Whether a link may be one: `javascript:` and the like never are."""
    return link.startswith(("https://", "http://"))


@cache
def _style() -> str:
    return (FOLDER / "style.css").read_text(encoding="utf-8")
