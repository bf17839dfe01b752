"""One timed operation of a trace, with only those attributes that may leave telemetry (law 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from backburn.workload import Model

# Attribute values come from strangers. These few are kept, shortened, and never interpreted.
ALLOWED = (
    "gen_ai.system",
    "gen_ai.request.model",
    "db.system",
    "rpc.system",
    "rpc.service",
    "rpc.method",
    "http.route",
    "http.target",
    "http.method",
    "http.status_code",
    "exception.type",
    "cloud.region",
    "aws.ecs.task.revision",
)
_LONGEST_NAME = 120
_LONGEST_VALUE = 80


class Span(Model):
    """A span in milliseconds of its trace's own clock."""

    trace_id: str
    span_id: str
    parent_id: str | None = None
    service: str = ""
    name: str = ""
    start_ms: float | None = None  # None where the store gave no time
    duration_ms: float = 0.0
    error: bool | None = None  # None = the data cannot say
    kind: str | None = None
    attributes: Mapping[str, str] = Field(default_factory=dict)

    @property
    def end_ms(self) -> float:
        """When it ended; only meaningful with a start."""
        return (self.start_ms or 0.0) + self.duration_ms


def allowlisted(attributes: Mapping[str, Any]) -> dict[str, str]:
    """The attributes that may be carried on, as bounded single-line text."""
    return {
        key: unlinked(line(attributes[key], _LONGEST_VALUE))
        for key in ALLOWED
        if attributes.get(key) not in (None, "")
    }


def line(value: Any, longest: int = _LONGEST_NAME) -> str:
    """A stranger's value as one printable line of bounded length."""
    text = str(value)[: longest * 4]
    printable = "".join(c if c.isprintable() else " " for c in text)
    flat = " ".join(printable.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def unlinked(text: str) -> str:
    """A stranger's text so that no reader of our mails makes a link of it."""
    return text.replace("://", "[:]//")
