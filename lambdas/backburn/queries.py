"""The questions Backburn asks of telemetry, a query each; answers.py reads the rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .sli import Window, slot_seconds
from .telemetry import Calculation, Columns, Field, Filter, Order, Query, Slo
from .traces.span import ALLOWED
from .workload import Workload

REVISION = "aws.ecs.task.revision"
SLOT, TIME = "backburn_slot", "backburn_time"
BEGINS, FAILED, OVER = "backburn_begins", "backburn_failed", "backburn_over"
_TIME = Field(name=TIME, expression="EVENT_TIMESTAMP()")
_COUNT = Calculation(op="COUNT")
_QUOTABLE = re.compile(r"[A-Za-z0-9/_.:{}*-]{1,100}")


def sli_by_slot(workload: Workload, slo: Slo, columns: Columns, window: Window) -> Query:
    """Counted requests by what the SLI says, by revision and by slot of time."""
    seconds = slot_seconds(window.seconds)
    slot = Field(name=SLOT, expression=f"INT(DIV(EVENT_TIMESTAMP(), {seconds}))")
    return Query(
        window=window,
        calculations=(_COUNT,),
        filters=_counted(workload, slo),
        breakdowns=(slo.alias, slot.name, *columns.having(REVISION)),
        fields=(slot,),
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
    begins = Field(name=BEGINS, expression=f"NOT({_exists(columns, columns.parent_id)})")
    failed = _exists(columns, columns.error)
    fields = [begins, Field(name=FAILED, expression=f"IF({failed}, 1, 0)")]
    slower = [
        f'AND(EQUALS(${route}, "{name}"), GT(${columns.duration_ms}, {limit:.3f}))'
        for name, limit in sorted((limits or {}).items())
        if quotable(name)
    ]
    if slower:
        over = f"OR({', '.join([failed, *slower])})"
        fields.append(Field(name=OVER, expression=f"IF({over}, 1, 0)"))
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


def exemplars(workload: Workload, slo: Slo, columns: Columns, window: Window) -> Query:
    """Up to a thousand counted requests. Ordered by trace id: random, so a fair sample."""
    return Query(
        window=window,
        calculations=(Calculation(op="MAX", column=columns.duration_ms),),
        filters=_counted(workload, slo),
        breakdowns=(columns.trace_id, slo.alias),
        orders=(Order(column=columns.trace_id),),
    )


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
    return tuple(dict.fromkeys([*always, TIME, *maybe]))


def _exists(columns: Columns, name: str) -> str:
    """An expression; a column that no event has carried yet does not exist for a query either."""
    return f"EXISTS(${name})" if name in columns.present else "false"
