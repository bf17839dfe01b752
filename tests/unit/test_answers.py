from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backburn import answers
from backburn.sli import Counts, Window
from backburn.telemetry import Columns, Rows
from tests.fakes.patient import CHAT_LATENCY

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WINDOW = Window(start=NOON, end=NOON + timedelta(minutes=5))
COLUMNS = Columns(present=frozenset({"trace.parent_id", "http.target", "error", "db.system"}))
ALIAS = CHAT_LATENCY.alias


def rows(*found: dict[str, Any]) -> Rows:
    """A result."""
    return Rows(rows=found, link="https://ui.test/1")


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), ("true", True), ("False", False), (None, None), ("", None), (1, None)],
)
def test_booleans_are_read_in_any_shape(value: Any, meant: bool | None) -> None:
    """A breakdown may give booleans or text; anything else does not count."""
    assert answers.truth(value) is meant


def test_rows_of_a_slot_are_added_up() -> None:
    """Good, bad and not counted, by slot and revision."""
    slot = {"backburn_slot": 100, "aws.ecs.task.revision": "7", "COUNT": 3}
    found = answers.series(
        rows(
            {ALIAS: True, **slot},
            {ALIAS: "false", **slot},
            {**slot},
            {ALIAS: True, "COUNT": 9},
            {ALIAS: True, "backburn_slot": "99", "COUNT": 2},
        ),
        CHAT_LATENCY,
        WINDOW,
    )
    assert [(99, None, Counts(good=2)), (100, "7", Counts(good=3, bad=3))] == [
        (s.at, s.revision, s.counts) for s in found.slots
    ]


def test_a_sample_lies_evenly_over_the_durations() -> None:
    """Neither the slowest nor the fastest only; good and bad are told apart."""
    found = rows(
        *({"trace.trace_id": f"t{i}", ALIAS: False, "MAX(duration_ms)": i} for i in range(100)),
        {"trace.trace_id": "good", ALIAS: True, "MAX(duration_ms)": 1},
    )
    assert answers.choose(found, CHAT_LATENCY, COLUMNS, bad=True, most=4) == (
        "t12", "t37", "t62", "t87",
    )  # fmt: skip
    assert answers.choose(found, CHAT_LATENCY, COLUMNS, bad=False, most=4) == ("good",)


@pytest.mark.parametrize(
    ("stamp", "milliseconds"),
    [
        (1795521600.5, 1795521600500),
        (1795521600500, 1795521600500),
        (1795521600500000, 1795521600500),
        (1795521600500000000, 1795521600500),
        ("1795521600.5", 1795521600500),
        (None, None),
    ],
)
def test_event_timestamps_are_read_in_any_unit(stamp: Any, milliseconds: float | None) -> None:
    """Seconds, milliseconds, micro- or nanoseconds: told by their size."""
    row = {"trace.trace_id": "t", "trace.span_id": "s", "backburn_time": stamp}
    (span,) = answers.spans(rows(row), COLUMNS)
    assert span.start_ms == milliseconds


def test_spans_are_read_as_they_come() -> None:
    """Negative durations are none; an absent error is no error, an absent column is unknown."""
    row = {"trace.trace_id": "t", "trace.span_id": "s", "MAX(duration_ms)": -4, "db.system": "pg"}
    (span,) = answers.spans(rows(row, {"trace.trace_id": "t"}), COLUMNS)
    assert (span.duration_ms, span.error, span.attributes) == (0, False, {"db.system": "pg"})
    (blind,) = answers.spans(rows(row), Columns())
    assert blind.error is None
