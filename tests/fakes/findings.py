"""Evidence built from the few numbers that a test is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from backburn.evidence import Evidence, Kind, Number, Side
from backburn.sli import Counts, Window

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BURN = Window(start=NOON, end=NOON + timedelta(minutes=15))
BASELINE = Window(start=NOON - timedelta(hours=2), end=NOON - timedelta(hours=1))
UNITS = {Kind.CPU: "%", Kind.BAD_SHARE: "share", Kind.ERRORS: "share"}


def number(kind: Kind, value: float, baseline: float | None, **fields: Any) -> Number:
    """A number without an id yet."""
    unit = UNITS.get(kind, "ms")
    return Number(
        id="", kind=kind, what=kind.value, value=value, unit=unit, baseline=baseline, **fields
    )


def evidence(
    *numbers: Number, burn: Counts | None = None, baseline: Counts | None = None
) -> Evidence:
    """A clear burn (half of 600 bad, before 1 %) unless told otherwise; ids E1, E2, ... in order."""
    return Evidence(
        workload="chatbot",
        service="chatbot",
        route="/api/chat",
        slo="chat-latency",
        slo_name="Chat answers within a second",
        allowed=0.05,
        burn=Side(window=BURN, counts=burn or Counts(good=300, bad=300)),
        baseline=Side(window=BASELINE, counts=baseline or Counts(good=2376, bad=24)),
        numbers=tuple(n.model_copy(update={"id": f"E{i}"}) for i, n in enumerate(numbers, start=1)),
    )


def starved() -> Evidence:
    """A task without CPU: E1 CPU, E2 own time, E3 where, E4 waits that grew along."""
    return evidence(
        number(Kind.CPU, 98, 45),
        number(Kind.OWN_TIME, 900, 150),
        number(Kind.OPERATION, 800, 120, service="chatbot", operation="rag.vector_search"),
        number(Kind.WAIT, 2500, 350, callee="aws.bedrock", operation="chat"),
    )


def waiting() -> Evidence:
    """A slow dependency: E1 CPU, E2 own time, E3 the wait."""
    return evidence(
        number(Kind.CPU, 30, 45),
        number(Kind.OWN_TIME, 160, 150),
        number(Kind.WAIT, 4000, 350, service="chatbot", callee="aws.bedrock", operation="chat"),
    )


def failing() -> Evidence:
    """A throttling dependency: E1 CPU, E2 own time (queueing), E3 the wait, E4 its errors."""
    return evidence(
        number(Kind.CPU, 20, 45),
        number(Kind.OWN_TIME, 3000, 150),
        number(Kind.WAIT, 900, 350, callee="aws.bedrock", operation="chat"),
        number(Kind.ERRORS, 0.8, 0.0, callee="aws.bedrock", operation="chat"),
    )
