"""The Query Data API: calculations, filters, grouping, ordering; against numbers done by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from sandbox.honeycomb.events import Event
from sandbox.honeycomb.standin import StandIn
from tests.sandbox.honeycomb.conftest import DATASET, Api, Clock, behind

Rows = list[dict[str, Any]]


FIVE: Rows = [
    {"name": "get", "duration_ms": 10.0, "code": 200, "ok": True},
    {"name": "get", "duration_ms": 20.0, "code": 200, "ok": True},
    {"name": "put", "duration_ms": 30.0, "code": 500, "ok": False},
    {"name": "put", "duration_ms": 40.0, "code": "500"},
    {"name": "log"},
]


@pytest.fixture
def shop(api: Api) -> Api:
    """Five events: durations 10, 20, 30, 40 of two names, and one without a duration."""
    api.send(*FIVE)
    return api


@pytest.fixture
def library(server: tuple[Starlette, str], shared: tuple[StandIn, Clock]) -> Iterator[Api]:
    """The same five, for tests that only read."""
    with behind(server, *shared) as api:
        if not api.standin.events.datasets():
            api.send(*FIVE)
        yield api


@pytest.mark.parametrize(
    ("op", "value"),
    [
        ("SUM", 100.0),
        ("AVG", 25.0),
        ("MIN", 10.0),
        ("MAX", 40.0),
        ("COUNT_DISTINCT", 4),
        ("P001", 10.03),
        ("P50", 25.0),
        ("P95", 38.5),
        ("P999", 39.97),
    ],
)
def test_calculations(library: Api, op: str, value: float) -> None:
    """Each over the events that have the column; percentiles interpolate."""
    (row,) = library.rows({"calculations": [{"op": op, "column": "duration_ms"}]})
    assert row == {f"{op}(duration_ms)": pytest.approx(value)}


def test_count_counts_events_and_is_the_default(library: Api) -> None:
    """A query that asks for nothing counts."""
    assert library.rows({}) == [{"COUNT": 5}]


@pytest.mark.parametrize(
    ("column", "op", "value", "count"),
    [
        ("name", "=", "get", 2),
        ("name", "!=", "get", 3),
        ("duration_ms", ">", 20, 2),
        ("duration_ms", ">=", 20, 3),
        ("duration_ms", "<", 20, 1),
        ("duration_ms", "<=", 20, 2),
        ("name", "starts-with", "g", 2),
        ("name", "does-not-start-with", "g", 3),
        ("name", "ends-with", "t", 4),
        ("name", "does-not-end-with", "t", 1),
        ("name", "contains", "e", 2),
        ("name", "does-not-contain", "e", 3),
        ("name", "in", ["get", "log"], 3),
        ("name", "not-in", ["get", "log"], 2),
        ("ok", "=", False, 1),
        ("ok", "=", True, 2),
        ("duration_ms", "exists", None, 4),
        ("duration_ms", "does-not-exist", None, 1),
        # The wrong JSON type, or no value at all: silently false, whatever the operator.
        ("code", "=", 500, 1),
        ("code", "=", "500", 1),
        ("code", ">", 0, 3),
        ("name", "=", 1, 0),
        ("name", "!=", 1, 0),
        ("duration_ms", "=", "10", 0),
        ("duration_ms", "!=", 10, 3),
        ("duration_ms", "not-in", [10], 3),
        ("ok", "=", "true", 0),
        ("duration_ms", "contains", "1", 0),
        ("name", "=", "'; DROP TABLE events; --", 0),
    ],
)
def test_filters(library: Api, column: str, op: str, value: Any, count: int) -> None:
    """How many of the five events each filter keeps."""
    test = {"column": column, "op": op} | ({} if value is None else {"value": value})
    assert library.rows({"filters": [test]}) == ([{"COUNT": count}] if count else [])


def test_filters_combine_by_and_or_or(library: Api) -> None:
    """One combination for all of them."""
    tests = [
        {"column": "name", "op": "=", "value": "get"},
        {"column": "duration_ms", "op": ">", "value": 15},
    ]
    assert library.rows({"filters": tests}) == [{"COUNT": 1}]
    assert library.rows({"filters": tests, "filter_combination": "OR"}) == [{"COUNT": 4}]


def test_a_calculation_has_its_own_filters_and_name(library: Api) -> None:
    """The name is the key; the filters are that calculation's alone."""
    calculations = [
        {"op": "COUNT"},
        {
            "op": "MAX",
            "column": "duration_ms",
            "name": "slowest get",
            "filters": [{"column": "name", "op": "=", "value": "get"}],
        },
        {
            "op": "COUNT",
            "name": "none",
            "filters": [{"column": "name", "op": "=", "value": "nothing"}],
        },
    ]
    (row,) = library.rows({"calculations": calculations})
    assert row == {"COUNT": 5, "slowest get": 20.0, "none": 0}


def test_groups_come_largest_first_and_a_missing_value_has_no_key(library: Api) -> None:
    """Without orders the first calculation decides, descending."""
    rows = library.rows({"breakdowns": ["name", "ok"]})
    assert rows == [
        {"name": "get", "ok": True, "COUNT": 2},
        {"name": "log", "COUNT": 1},
        {"name": "put", "ok": False, "COUNT": 1},
        {"name": "put", "COUNT": 1},
    ]


def test_a_column_of_two_types_keeps_both_values(library: Api) -> None:
    """500 and "500" are two groups."""
    spec = {"breakdowns": ["code"], "filters": [{"column": "name", "op": "=", "value": "put"}]}
    found = [row["code"] for row in library.rows(spec)]
    assert set(found) == {500, "500"}


def test_orders_and_limit(library: Api) -> None:
    """By a calculation or a breakdown, ascending unless said otherwise."""
    longest: dict[str, Any] = {
        "breakdowns": ["name"],
        "calculations": [{"op": "MAX", "column": "duration_ms"}],
        "orders": [{"op": "MAX", "column": "duration_ms", "order": "descending"}],
        "limit": 2,
    }
    assert [row["name"] for row in library.rows(longest)] == ["put", "get"]
    by_name = {"breakdowns": ["name"], "orders": [{"column": "name"}]}
    assert [row["name"] for row in library.rows(by_name)] == ["get", "log", "put"]


def test_having_keeps_groups_by_a_calculation(library: Api) -> None:
    """Compared after grouping."""
    having = {"calculate_op": "COUNT", "op": ">", "value": 1}
    rows = library.rows(
        {"breakdowns": ["name"], "havings": [having], "orders": [{"column": "name"}]}
    )
    assert [row["name"] for row in rows] == ["get", "put"]


def test_calculated_fields_are_columns_of_the_query(library: Api) -> None:
    """In breakdowns, filters and calculations alike."""
    spec = {
        "calculated_fields": [
            {"name": "slow", "expression": "GTE($duration_ms, 30)"},
            {"name": "seconds", "expression": "DIV($duration_ms, 1000)"},
        ],
        "filters": [{"column": "slow", "op": "=", "value": True}],
        "calculations": [{"op": "SUM", "column": "seconds"}],
        "breakdowns": ["name"],
    }
    assert library.rows(spec) == [{"name": "put", "SUM(seconds)": pytest.approx(0.07)}]


def test_sampled_events_count_for_all_they_stand_for(api: Api) -> None:
    """Counts, sums and percentiles are re-weighted; extremes and distinct values are not."""
    time = int((api.clock.now - 120) * 1e9)
    api.standin.events.append(
        [
            Event(DATASET, time, 9, {"duration_ms": 10.0}),
            Event(DATASET, time, 1, {"duration_ms": 110.0}),
        ]
    )
    ops = ("SUM", "AVG", "P50", "MAX", "COUNT_DISTINCT")
    asked = [{"op": "COUNT"}, *({"op": op, "column": "duration_ms"} for op in ops)]
    (row,) = api.rows({"calculations": asked})
    assert list(row.values()) == [10, 200.0, 20.0, 10.0, 110.0, 2]


def test_all_datasets_at_once(shop: Api) -> None:
    """`__all__` sees every dataset."""
    shop.send({"name": "bill"}, dataset="billing")
    assert shop.rows({}, "__all__") == [{"COUNT": 6}]
    assert shop.rows({}) == [{"COUNT": 5}]


def test_series_and_totals_come_when_asked_for(shop: Api) -> None:
    """A bucket for each granularity that has events; totals of all and of the rest."""
    shop.send({"name": "get"}, ago=600)
    spec = {"breakdowns": ["name"], "time_range": 3600, "granularity": 60, "limit": 1}
    everything: dict[str, Any] = {
        "disable_series": False,
        "disable_total_by_aggregate": False,
        "disable_other_by_aggregate": False,
    }
    data = shop.result(spec, **everything)["data"]
    assert [(point["data"]["name"], point["data"]["COUNT"]) for point in data["series"]] == [
        ("get", 1),
        ("get", 2),
    ]
    assert data["series"][0]["time"].endswith("Z")
    assert data["total_by_aggregate"] == {"data": {"COUNT": 6}}
    assert data["other_by_aggregate"] == {"data": {"COUNT": 3}}
    bare = shop.result(spec)["data"]
    assert set(bare) == {"results", "series"}
    assert bare["series"] == []


def test_a_result_limit_above_a_thousand_needs_series_disabled(api: Api) -> None:
    """Ten thousand groups are there for the asking, otherwise the spec's own limit rules."""
    api.send(*({"n": n} for n in range(1500)))
    spec: dict[str, Any] = {"breakdowns": ["n"], "limit": 1000, "time_range": 3600}
    assert len(api.result(spec, limit=10_000)["data"]["results"]) == 1500
    few = api.result(spec, limit=10_000, disable_series=False)
    assert len(few["data"]["results"]) == 1000


def test_the_range_is_cut_to_whole_minutes(api: Api) -> None:
    """Up to six hours both ends are truncated to the minute: the newest seconds are missing."""
    api.send({"name": "old"}, ago=90)
    api.clock.now += 30
    api.send({"name": "new"}, ago=10)
    assert api.rows({"breakdowns": ["name"], "time_range": 120}) == [{"name": "old", "COUNT": 1}]


def test_a_calculation_over_no_values_has_no_key(library: Api) -> None:
    """There is no null in a result."""
    spec = {
        "breakdowns": ["name"],
        "calculations": [{"op": "COUNT"}, {"op": "P99", "column": "duration_ms"}],
        "filters": [{"column": "name", "op": "=", "value": "log"}],
    }
    assert library.rows(spec) == [{"name": "log", "COUNT": 1}]


def test_nothing_found_is_no_row(library: Api) -> None:
    """An empty result, not a row of zeros."""
    nothing = {"filters": [{"column": "name", "op": "=", "value": "nothing"}]}
    assert library.rows(nothing) == []


def test_a_result_is_incomplete_first_and_links_to_its_page(shop: Api) -> None:
    """Every client has to poll; the link is the stand-in's own page."""
    key = shop.query({}).json()["id"]
    started = shop.client.post(f"/1/query_results/{DATASET}", json={"query_id": key})
    assert (started.status_code, started.json()["complete"]) == (201, False)
    assert "data" not in started.json()
    shop.clock.now += 1
    link = started.json()["links"]["query_url"]
    assert "Query result" in shop.client.get(link).text
