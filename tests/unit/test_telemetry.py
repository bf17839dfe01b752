from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backburn.sli import Window
from backburn.telemetry import Calculation, Order, Query, Slo

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AT = int(NOON.timestamp())


def query(since: int, until: int) -> Query:
    """A count over seconds after noon."""
    window = Window(start=NOON + timedelta(seconds=since), end=NOON + timedelta(seconds=until))
    return Query(window=window, calculations=(Calculation(op="COUNT"),))


def test_a_window_on_whole_minutes_is_asked_for_as_it_is() -> None:
    """Nothing to filter out."""
    spec = query(0, 600).spec()
    assert (
        spec["start_time"],
        spec["time_range"],
        spec["filters"],
        spec["calculated_fields"],
    ) == (AT, 600, [], [])


@pytest.mark.parametrize(
    ("since", "until", "start", "length"),
    [
        (17, 77, 0, 120),
        (17, 18, 0, 60),
        (17, 6 * 3600, 0, 6 * 3600),
        (17, 6 * 3600 + 1, 0, 6 * 3600 + 300),
        (-3600 * 24 * 2 - 1, 1, -3600 * 24 * 2 - 1800, 3600 * 24 * 2 + 3600),
    ],
)
def test_finer_windows_are_asked_for_up_to_the_next_edges(
    since: int, until: int, start: int, length: int
) -> None:
    """What Honeycomb would cut is asked for with more around it, which is filtered out."""
    spec = query(since, until).spec()
    assert (AT + start, length) == (spec["start_time"], spec["time_range"])
    assert spec["filters"] == [{"column": "backburn_inside", "op": "exists"}]
    assert f"LT(EVENT_TIMESTAMP(), {AT + until})" in spec["calculated_fields"][0]["expression"]


def test_orders_say_which_way() -> None:
    """By a calculation or by a breakdown."""
    orders = (Order(op="COUNT", descending=True), Order(column="name"))
    spec = query(0, 60).model_copy(update={"orders": orders}).spec()
    assert spec["orders"] == [
        {"op": "COUNT", "order": "descending"},
        {"column": "name", "order": "ascending"},
    ]


def test_the_slo_allows_what_its_target_leaves() -> None:
    """95 % good allows 5 % bad."""
    slo = Slo(id="x", name="x", alias="sli", target_per_million=950_000)
    assert slo.allowed == pytest.approx(0.05)
