"""What telemetry's rows say, read back into values; every row is data from strangers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .queries import BEGINS, FAILED, OVER, REVISION, SLOT, TIME
from .sli import Counts, Series, Slot, Window, slot_seconds
from .telemetry import Columns, Rows, Slo
from .traces.span import Span, allowlisted, line, unlinked
from .workload import Model, Workload


class Operation(Model):
    """What the store knows of all spans of one operation, or of one route's requests."""

    service: str
    name: str
    route: str | None
    begins: bool  # whether these spans begin a trace
    calls: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    failed: int
    over: int = 0  # failed, or slower than the limit the question named for the route


def series(rows: Rows, slo: Slo, window: Window) -> Series:
    """The series of `sli_by_slot`; rows that are neither good nor bad do not count."""
    seconds = slot_seconds(window.seconds)
    found: dict[tuple[int, str | None], Counts] = {}
    for row in rows.rows:
        verdict = truth(row.get(slo.alias))
        if verdict is None or row.get(SLOT) in (None, ""):
            continue
        n = int(row["COUNT"])
        key = (int(float(row[SLOT])) * seconds, _text(row.get(REVISION)))
        found[key] = found.get(key, Counts()) + Counts(
            good=n if verdict else 0, bad=0 if verdict else n
        )
    return Series(
        seconds=seconds,
        slots=tuple(
            Slot(at=at, revision=revision, counts=counts)
            for (at, revision), counts in sorted(
                found.items(), key=lambda i: (i[0][0], str(i[0][1]))
            )
        ),
        link=rows.link,
    )


def operations(rows: Rows, workload: Workload, columns: Columns) -> tuple[Operation, ...]:
    """The rows of `operations`, the ones with the most total time first."""

    def number(row: Mapping[str, Any], op: str, column: str) -> float:
        return float(row.get(f"{op}({column})") or 0)

    return tuple(
        Operation(
            service=unlinked(line(row.get(columns.service) or "")),
            name=unlinked(line(row.get(columns.name) or "")),
            route=_text(row.get(workload.route.column)),
            begins=truth(row.get(BEGINS)) is True,
            calls=int(row["COUNT"]),
            p50_ms=number(row, "P50", columns.duration_ms),
            p95_ms=number(row, "P95", columns.duration_ms),
            p99_ms=number(row, "P99", columns.duration_ms),
            failed=int(number(row, "SUM", FAILED)),
            over=int(number(row, "SUM", OVER)),
        )
        for row in rows.rows
    )


def choose(rows: Rows, slo: Slo, columns: Columns, *, bad: bool, most: int) -> tuple[str, ...]:
    """Trace ids of up to `most` bad (or good) requests, evenly over their durations."""
    duration = f"MAX({columns.duration_ms})"
    ranked = sorted(
        (float(row.get(duration) or 0), str(row[columns.trace_id]))
        for row in rows.rows
        if truth(row.get(slo.alias)) is (not bad)
    )
    step = max(1.0, len(ranked) / most)
    picks = [
        ranked[int((i + 0.5) * step)] for i in range(most) if int((i + 0.5) * step) < len(ranked)
    ]
    return tuple(dict.fromkeys(trace_id for _, trace_id in picks))


def spans(rows: Rows, columns: Columns) -> tuple[Span, ...]:
    """The rows of `whole_traces`."""
    has_error = columns.error in columns.present
    return tuple(
        Span(
            trace_id=str(row[columns.trace_id]),
            span_id=str(row[columns.span_id]),
            parent_id=_text(row.get(columns.parent_id)),
            service=unlinked(line(row.get(columns.service) or "")),
            name=unlinked(line(row.get(columns.name) or "")),
            start_ms=_milliseconds(row.get(TIME)),
            duration_ms=max(0.0, float(row.get(f"MAX({columns.duration_ms})") or 0)),
            error=truth(row.get(columns.error)) is True if has_error else None,
            kind=_text(row.get(columns.kind)),
            attributes=allowlisted(row),
        )
        for row in rows.rows
        if row.get(columns.span_id)
    )


def truth(value: Any) -> bool | None:
    """A boolean column's value in a breakdown, which may come as a boolean or as text."""
    if isinstance(value, bool) or value is None:
        return value
    return {"true": True, "false": False}.get(str(value).strip().lower())


def _text(value: Any) -> str | None:
    return None if value in (None, "") else line(value)


def _milliseconds(value: Any) -> float | None:
    """EVENT_TIMESTAMP() as milliseconds; its documentation leaves unit and precision open."""
    if value in (None, ""):
        return None
    number = float(value)
    for above, per_ms in ((1e17, 1e6), (1e14, 1e3), (1e11, 1.0)):
        if number > above:
            return number / per_ms
    return number * 1000
