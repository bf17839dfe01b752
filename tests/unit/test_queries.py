from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backburn import queries
from backburn.sli import Window
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
