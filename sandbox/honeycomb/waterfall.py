"""A trace as rows to draw: who called whom, when, for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .events import Events
from .scope import Scope
from .values import NULL, literal

SHOWN = ("name", "service.name", "trace.span_id", "trace.parent_id", "duration_ms", "error")
MAX_SPANS = 2_000
WIDTH = 620.0


@dataclass(frozen=True)
class Bar:
    """A span: its depth in the tree and its place in the picture."""

    name: str
    service: str
    depth: int
    left: float
    width: float
    duration_ms: float
    failed: bool


def spans(
    events: Events, scope: Scope, dataset: str, trace_id: str, start: int, end: int
) -> list[dict[str, Any]]:
    """The spans of a trace between two moments (unix seconds), by start."""
    columns = [f"{_one(scope, name)} AS v{i}" for i, name in enumerate(SHOWN)]
    wanted = literal(trace_id).text
    trace = scope.value("trace.trace_id").text or NULL
    rows = events.read(
        f"SELECT time, {', '.join(columns)} FROM events"  # noqa: S608 - names are ours
        f" WHERE dataset = {literal(dataset).text} AND {trace} = {wanted}"
        f" AND time >= {start}000000000 AND time < {end}000000000"
        f" AND {scope.value('trace.span_id').text or NULL} IS NOT NULL"
        f" ORDER BY time LIMIT {MAX_SPANS}"
    )
    return [{"time": time, **dict(zip(SHOWN, values, strict=True))} for time, *values in rows]


def waterfall(found: list[dict[str, Any]]) -> list[Bar]:
    """The bars in the order of the tree; a span whose parent is missing stands at the root."""
    if not found:
        return []
    first = min(span["time"] for span in found)
    last = max(span["time"] + (span["duration_ms"] or 0) * 1e6 for span in found)
    scale = WIDTH / max(last - first, 1)
    known = {span["trace.span_id"] for span in found}
    children: dict[str | None, list[dict[str, Any]]] = {}
    for span in found:
        parent = span["trace.parent_id"]
        children.setdefault(parent if parent in known else None, []).append(span)
    bars: list[Bar] = []
    stack = [(span, 0) for span in reversed(children.get(None, []))]
    while stack:
        span, depth = stack.pop()
        bars.append(_bar(span, depth, first, scale))
        below = children.pop(span["trace.span_id"], [])
        stack += [(child, depth + 1) for child in reversed(below)]
    return bars


def _bar(span: Mapping[str, Any], depth: int, first: int, scale: float) -> Bar:
    duration = float(span["duration_ms"] or 0)
    return Bar(
        name=str(span["name"] or ""),
        service=str(span["service.name"] or ""),
        depth=depth,
        left=round((span["time"] - first) * scale, 1),
        width=max(round(duration * 1e6 * scale, 1), 1.0),
        duration_ms=duration,
        failed=bool(span["error"]),
    )


def _one(scope: Scope, name: str) -> str:
    parts = scope.value(name).parts()
    return parts[0] if parts else NULL
