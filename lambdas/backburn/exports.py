"""How a build says its answer: lines of shell that its buildspec sources.

CodeBuild exports variables, not text on stdout. Everything said may come from a program or a
cloud, so only harmless characters pass (law 7).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST = 400
NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def lines(answer: Mapping[str, str]) -> str:
    """`NAME='value'` lines: one line each, ASCII, no quote, no dollar, no backslash."""
    for name in answer:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a variable")
    return "".join(f"{name}='{harmless(value)}'\n" for name, value in answer.items())


def harmless(text: str) -> str:
    """The text with whatever a shell or a log could misread replaced by a space."""
    plain = re.sub(r"[^A-Za-z0-9 .,:;()/_-]+", " ", text.replace("->", "to"))
    short = " ".join(plain.split())
    return short if len(short) <= LONGEST else f"{short[: LONGEST - 3]}..."
