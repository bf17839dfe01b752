"""How a build says its answer: lines of shell that its buildspec sources.

CodeBuild exports variables, not text on stdout. Everything said may come from a program or a
cloud, so only harmless characters pass (law 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from .errors import Abstained, Braked, Broken, Drifted, HalfApplied, Locked, Refused
from .incident import artifact_key

LONGEST = 400
NAME = re.compile(r"[A-Z][A-Z0-9_]*")

OUTCOMES = {
    Refused: "refused",
    Abstained: "refused",
    Braked: "refused",
    Drifted: "drifted",
    Broken: "broken",
    HalfApplied: "half_applied",
    Locked: "locked",
}


class Order(NamedTuple):
    """What a build is asked to do."""

    incident: str
    attempt: int
    workload: str

    def key(self, name: str) -> str:
        """Where this attempt keeps a document."""
        return artifact_key(self.incident, self.attempt, name)


def answer(work: Callable[[], Mapping[str, str]], outcomes: tuple[str, ...]) -> Mapping[str, str]:
    """What the build exports: its result, or the answer it ended with.

    `outcomes` are those its Choice knows beside `refused` and `drifted`; others are refusals.
    """
    try:
        return work()
    except (Refused, Abstained, Braked, Drifted, Broken, HalfApplied, Locked) as answered:
        outcome = OUTCOMES[type(answered)]
        known = outcome if outcome in {"refused", "drifted", *outcomes} else "refused"
        return {"OUTCOME": known, "REASON": str(answered)}


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
