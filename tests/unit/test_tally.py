from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from backburn import tally
from backburn.answers import Operation
from backburn.evidence import Kind, Side, Usage, Use
from backburn.sli import Counts, Series, Slot, Window
from backburn.traces.compare import Origin, Shift, Spent
from tests.fakes.patient import chatbot

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WINDOW = Window(start=NOON, end=NOON + timedelta(minutes=10))
SERVICE = "otel-ai-chatbot-backend"


def side(**fields: Any) -> Side:
    """One of the windows."""
    return Side(window=WINDOW, counts=Counts(good=90, bad=10), **fields)


def shift(operation: str, before: float, during: float, **fields: Any) -> Shift:
    """Milliseconds of one operation, before and during."""
    fields = {"service": SERVICE} | fields
    place = {"service": fields["service"], "operation": operation}
    return Shift(
        operation=operation,
        baseline=Spent(ms=before, **place),
        burn=Spent(ms=during, **place),
        **fields,
    )


def operation(route: str | None, calls: int, **fields: Any) -> Operation:
    """Requests of a route."""
    given = {"begins": True, "p50_ms": 50, "p95_ms": 100, "p99_ms": 200, "failed": 0}
    return Operation(service=SERVICE, name="POST", route=route, calls=calls, **(given | fields))


def test_every_number_has_an_id_and_its_link() -> None:
    """In a fixed order, so that a citation can be checked."""
    found = tally.numbers(SERVICE, side(), side(), [], [], {Kind.BAD_SHARE: "https://ui.test/1"})
    assert [f"E{i}" for i in range(1, len(found) + 1)] == [n.id for n in found]
    assert (found[0].link, found[1].link) == ("https://ui.test/1", "")


def test_time_is_added_up_by_whom_it_is_charged_to() -> None:
    """Own work together, each callee together, another service's own work to that service."""
    shifts = [
        shift("chat", 100, 900, callee="BedrockRuntime"),
        shift("embed", 50, 70, callee="BedrockRuntime"),
        shift("search", 10, 40),
        shift("POST", 5, 15, begins=True),
        shift("lookup", 1, 8, service="cart"),
    ]
    found = tally.numbers(SERVICE, side(), side(), shifts, [], {})
    told = {(n.kind, n.callee or n.operation): (n.baseline, n.value) for n in found}
    assert told[Kind.OWN_TIME, "search"] == (15, 55)
    assert told[Kind.WAIT, "BedrockRuntime"] == (150, 970)
    assert told[Kind.WAIT, "cart"] == (1, 8)
    assert told[Kind.OPERATION, "search"] == (10, 40)
    assert told[Kind.QUEUE, "POST"] == (5, 15)


def test_errors_are_told_by_where_they_began() -> None:
    """At a dependency or in the service itself."""
    origins = [
        Origin(service=SERVICE, operation="chat", callee="BedrockRuntime", baseline=0, burn=0.5),
        Origin(service=SERVICE, operation="POST", baseline=0, burn=0.1),
    ]
    found = tally.numbers(SERVICE, side(), side(), [], origins, {})
    assert [(n.callee, n.value) for n in found if n.kind is Kind.ERRORS] == [
        ("BedrockRuntime", 0.5),
        ("", 0.1),
    ]


def test_usage_is_told_where_it_was_published() -> None:
    """CPU with its baseline, memory without one."""
    used = Use(mean=95, highest=99, readings=3)
    burn = side(usage=Usage(cpu=used, memory=used))
    before = side(usage=Usage(cpu=used.model_copy(update={"mean": 40})))
    found = tally.numbers(SERVICE, burn, before, [], [], {})
    assert [(n.kind, n.value, n.baseline) for n in found if n.unit == "%"] == [
        (Kind.CPU, 95, 40),
        (Kind.MEMORY, 95, None),
    ]


def test_neighbours_are_the_other_routes_with_some_traffic() -> None:
    """Their limit is their own P95; few requests, odd names and inner spans are left out."""
    baseline = [
        operation("/api/chat", 900),
        operation("/api/ingest", 40, p95_ms=240),
        operation("/api/rare", 29),
        operation('/x"', 100),
        operation(None, 100),
        operation("/api/inner", 100, begins=False),
    ]
    limits = tally.limits(chatbot(), baseline)
    assert limits == {"/api/ingest": 240}
    burn = [
        operation("/api/ingest", 30, over=3),
        operation("/api/ingest", 10, over=2),
        operation("/api/chat", 900, over=900),
    ]
    (found,) = tally.neighbours(burn, limits)
    assert (
        found.route, found.requests, found.over, found.limit_ms,
    ) == ("/api/ingest", 40, 5, 240)  # fmt: skip


def test_a_side_is_what_the_sli_counted_in_its_window() -> None:
    """Counts, rate, revisions and the route's own latencies."""
    slots = tuple(
        Slot(at=int(NOON.timestamp()) + at, revision="7", counts=Counts(good=9, bad=1))
        for at in (0, 60, 660)
    )
    series = Series(seconds=60, slots=slots, link="")
    found = tally.side(chatbot(), series, WINDOW, [operation("/api/chat", 20)], 4, Usage())
    assert (Counts(good=18, bad=2), 10.0, ("7",)) == (
        found.counts,
        found.per_minute,
        found.revisions,
    )
    assert (found.p50_ms, found.p95_ms, found.p99_ms, found.traces) == (50, 100, 200, 4)
    assert tally.side(chatbot(), series, WINDOW, [], 0, Usage()).p95_ms == 0
