"""The questions Backburn asks of telemetry: a query each, and how its rows are read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .sli import Counts, Series, Slot, Window, slot_seconds
from .telemetry import Calculation, Columns, Field, Filter, Order, Query, Rows, Slo
from .traces.span import ALLOWED, Span, allowlisted, line
from .workload import Model, Workload

REVISION = "aws.ecs.task.revision"
_SLOT = Field(name="backburn_slot", expression="")
_TIME = Field(name="backburn_time", expression="EVENT_TIMESTAMP()")
_COUNT = Calculation(op="COUNT")
_QUOTABLE = re.compile(r"[A-Za-z0-9/_.:{}*-]{1,100}")


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


def sli_by_slot(workload: Workload, slo: Slo, columns: Columns, window: Window) -> Query:
    """Counted requests by what the SLI says, by revision and by slot of time."""
    seconds = slot_seconds(window.seconds)
    slot = Field(name=_SLOT.name, expression=f"INT(DIV(EVENT_TIMESTAMP(), {seconds}))")
    return Query(
        window=window,
        calculations=(_COUNT,),
        filters=_counted(workload, slo),
        breakdowns=(slo.alias, slot.name, *columns.having(REVISION)),
        fields=(slot,),
    )


def read_series(rows: Rows, slo: Slo, window: Window) -> Series:
    """The series of `sli_by_slot`; rows that are neither good nor bad do not count."""
    seconds = slot_seconds(window.seconds)
    found: dict[tuple[int, str | None], Counts] = {}
    for row in rows.rows:
        verdict = truth(row.get(slo.alias))
        if verdict is None or row.get(_SLOT.name) in (None, ""):
            continue
        n = int(row[_COUNT.key])
        key = (int(float(row[_SLOT.name])) * seconds, _text(row.get(REVISION)))
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


def operations(
    workload: Workload,
    columns: Columns,
    window: Window,
    limits: Mapping[str, float] | None = None,
    *,
    requests_only: bool = False,
) -> Query:
    """Every operation's calls, latencies and failures; with `limits` (route to ms) those over.

    `requests_only` leaves out the spans that do not begin a trace.
    """
    route = workload.route.column
    begins = Field(name="backburn_begins", expression=f"NOT({_exists(columns, columns.parent_id)})")
    failed = _exists(columns, columns.error)
    fields = [begins, Field(name="backburn_failed", expression=f"IF({failed}, 1, 0)")]
    slower = [
        f'AND(EQUALS(${route}, "{name}"), GT(${columns.duration_ms}, {limit:.3f}))'
        for name, limit in sorted((limits or {}).items())
        if quotable(name)
    ]
    if slower:
        over = f"OR({', '.join([failed, *slower])})"
        fields.append(Field(name="backburn_over", expression=f"IF({over}, 1, 0)"))
    duration = columns.duration_ms
    filters = [
        Filter(column=columns.trace_id, op="exists"),
        Filter(column=columns.span_id, op="exists"),  # span events and links have none
        Filter(column=columns.duration_ms, op="exists"),  # logs have none
    ]
    if requests_only and columns.parent_id in columns.present:
        filters.append(Filter(column=columns.parent_id, op="does-not-exist"))
    return Query(
        window=window,
        calculations=(
            _COUNT,
            *(Calculation(op=op, column=duration) for op in ("SUM", "P50", "P95", "P99")),
            *(Calculation(op="SUM", column=field.name) for field in fields[1:]),
        ),
        filters=tuple(filters),
        breakdowns=(columns.service, columns.name, begins.name, *columns.having(route)),
        fields=tuple(fields),
        orders=(Order(op="SUM", column=duration, descending=True),),
    )


def read_operations(rows: Rows, workload: Workload, columns: Columns) -> tuple[Operation, ...]:
    """The rows of `operations`, the ones with the most total time first."""

    def number(row: Mapping[str, Any], op: str, column: str) -> float:
        return float(row.get(f"{op}({column})") or 0)

    return tuple(
        Operation(
            service=line(row.get(columns.service) or ""),
            name=line(row.get(columns.name) or ""),
            route=_text(row.get(workload.route.column)),
            begins=truth(row.get("backburn_begins")) is True,
            calls=int(row[_COUNT.key]),
            p50_ms=number(row, "P50", columns.duration_ms),
            p95_ms=number(row, "P95", columns.duration_ms),
            p99_ms=number(row, "P99", columns.duration_ms),
            failed=int(number(row, "SUM", "backburn_failed")),
            over=int(number(row, "SUM", "backburn_over")),
        )
        for row in rows.rows
    )


def exemplars(workload: Workload, slo: Slo, columns: Columns, window: Window) -> Query:
    """Up to a thousand counted requests. Ordered by trace id: random, so a fair sample."""
    return Query(
        window=window,
        calculations=(Calculation(op="MAX", column=columns.duration_ms),),
        filters=_counted(workload, slo),
        breakdowns=(columns.trace_id, slo.alias),
        orders=(Order(column=columns.trace_id),),
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


def whole_traces(columns: Columns, window: Window, trace_ids: Sequence[str]) -> Query:
    """Every span of these traces, with its start and the attributes that may leave telemetry."""
    return Query(
        window=window,
        calculations=(Calculation(op="MAX", column=columns.duration_ms),),
        filters=(
            Filter(column=columns.trace_id, op="in", value=list(trace_ids)),
            Filter(column=columns.span_id, op="exists"),
        ),
        breakdowns=_span_breakdowns(columns),
        fields=(_TIME,),
    )


def read_spans(rows: Rows, columns: Columns) -> tuple[Span, ...]:
    """The rows of `whole_traces`."""
    has_error = columns.error in columns.present
    return tuple(
        Span(
            trace_id=str(row[columns.trace_id]),
            span_id=str(row[columns.span_id]),
            parent_id=_text(row.get(columns.parent_id)),
            service=line(row.get(columns.service) or ""),
            name=line(row.get(columns.name) or ""),
            start_ms=_milliseconds(row.get(_TIME.name)),
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


def quotable(route: str) -> bool:
    """Whether a route from telemetry can stand inside an expression as a plain string (law 7)."""
    return _QUOTABLE.fullmatch(route) is not None


def _counted(workload: Workload, slo: Slo) -> tuple[Filter, ...]:
    return (
        Filter(column=slo.alias, op="exists"),
        Filter(column=workload.route.column, op="=", value=workload.route.value),
    )


def _span_breakdowns(columns: Columns) -> tuple[str, ...]:
    always = (columns.trace_id, columns.span_id, columns.name, columns.service)
    maybe = columns.having(columns.parent_id, columns.error, columns.kind, *ALLOWED)
    return tuple(dict.fromkeys([*always, _TIME.name, *maybe]))


def _exists(columns: Columns, name: str) -> str:
    """An expression; a column that no event has carried yet does not exist for a query either."""
    return f"EXISTS(${name})" if name in columns.present else "false"


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
