from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backburn import queries
from backburn.sli import Window, slot_seconds
from backburn.telemetry import Columns
from tests.fakes.patient import CHAT_LATENCY, chatbot

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WINDOW = Window(start=NOON, end=NOON + timedelta(minutes=5))
COLUMNS = Columns(present=frozenset({"trace.parent_id", "http.target", "error", "db.system"}))
ALIAS = CHAT_LATENCY.alias


def test_only_columns_that_exist_are_asked_for() -> None:
    """A query for a column that no event has carried is refused whole."""
    bare = Columns(present=frozenset({"name"}))
    query = queries.operations(chatbot(), bare, WINDOW, requests_only=True)
    assert "http.target" not in query.breakdowns
    assert all("$" not in field.expression for field in query.fields)
    assert "http.target" in queries.operations(chatbot(), COLUMNS, WINDOW).breakdowns
    assert {"db.system"} == set(queries.whole_traces(COLUMNS, WINDOW, ["t"]).breakdowns) & {
        "db.system",
        "rpc.service",
    }


def test_law_7_a_hostile_route_never_enters_an_expression() -> None:
    """Quotes and parentheses in a route are a stranger's; plain routes are compared."""
    hostile = '/x", 1), true, EQUALS($name, "'
    limits = {hostile: 5.0, "/api/users/{id}": 250.0}
    query = queries.operations(chatbot(), COLUMNS, WINDOW, limits)
    over = next(f.expression for f in query.fields if f.name == "backburn_over")
    assert hostile not in over
    assert 'EQUALS($http.target, "/api/users/{id}"), GT($duration_ms, 250.000)' in over


def test_only_counted_requests_of_the_route_are_asked_for() -> None:
    """The SLI is null where it does not count; the route is the workload's."""
    for query in (
        queries.sli_by_slot(chatbot(), CHAT_LATENCY, COLUMNS, WINDOW),
        queries.exemplars(chatbot(), CHAT_LATENCY, COLUMNS, WINDOW),
    ):
        told = [(f.column, f.op, f.value) for f in query.filters]
        assert told == [(ALIAS, "exists", None), ("http.target", "=", "/api/chat")]
        assert ALIAS in query.breakdowns


def test_the_series_is_told_apart_by_revision_where_spans_carry_one() -> None:
    """And always by slot: whole ones of the window's own length."""
    plain = queries.sli_by_slot(chatbot(), CHAT_LATENCY, COLUMNS, WINDOW)
    assert plain.breakdowns == (ALIAS, queries.SLOT)
    assert f"DIV(EVENT_TIMESTAMP(), {slot_seconds(WINDOW.seconds)})" in plain.fields[0].expression
    carried = Columns(present=COLUMNS.present | {queries.REVISION})
    told = queries.sli_by_slot(chatbot(), CHAT_LATENCY, carried, WINDOW)
    assert told.breakdowns == (ALIAS, queries.SLOT, queries.REVISION)


def test_requests_alone_are_those_that_begin_a_trace() -> None:
    """Nothing else of a neighbour is measured."""
    told = queries.operations(chatbot(), COLUMNS, WINDOW, requests_only=True).filters[-1]
    assert (told.column, told.op) == ("trace.parent_id", "does-not-exist")
