"""What can be asked of the telemetry store, and how it answers (Honeycomb's Query Data API)."""

from __future__ import annotations

from typing import Any, Literal

from .sli import Window
from .workload import Model

ROWS = 10_000  # most rows a result may have (with disable_series)
# Longest range in seconds, and what Honeycomb cuts its ends to.
_CUTS = ((6 * 3600, 60), (2 * 86400, 300), (7 * 86400, 1800))
_INSIDE = "backburn_inside"


class Slo(Model):
    """A service level objective, as defined by its owner."""

    id: str
    name: str
    alias: str  # column of the SLI: null = not counted, true = good, false = bad
    target_per_million: int

    @property
    def allowed(self) -> float:
        """The share of bad requests that the objective allows."""
        return 1 - self.target_per_million / 1_000_000


class Columns(Model):
    """The names a dataset uses for the fields with a meaning; they differ from team to team."""

    trace_id: str = "trace.trace_id"
    span_id: str = "trace.span_id"
    parent_id: str = "trace.parent_id"
    name: str = "name"
    service: str = "service.name"
    duration_ms: str = "duration_ms"
    error: str = "error"
    kind: str = "span.kind"
    present: frozenset[str] = frozenset()  # every column of the dataset

    def having(self, *names: str) -> tuple[str, ...]:
        """Those of `names` that the dataset has; a query for another one is refused."""
        return tuple(name for name in names if name in self.present)


class Filter(Model):
    """One condition; all conditions of a query must hold."""

    column: str
    op: Literal["=", "!=", "in", "exists", "does-not-exist"]
    value: Any = None


class Calculation(Model):
    """One aggregate, e.g. P95 of a column."""

    op: Literal["COUNT", "SUM", "MAX", "P50", "P95", "P99"]
    column: str | None = None

    @property
    def key(self) -> str:
        """Its name in a result row."""
        return self.op if self.column is None else f"{self.op}({self.column})"


class Field(Model):
    """A column calculated by the query itself."""

    name: str
    expression: str


class Order(Model):
    """What the rows are sorted by: a calculation of the query or a breakdown."""

    op: str | None = None
    column: str | None = None
    descending: bool = False


class Query(Model):
    """One question about one window."""

    window: Window
    calculations: tuple[Calculation, ...]
    filters: tuple[Filter, ...] = ()
    breakdowns: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    orders: tuple[Order, ...] = ()

    def spec(self) -> dict[str, Any]:
        """The query as Honeycomb's API takes it.

        Honeycomb cuts both ends down to the minute or coarser, so a window that is finer is asked
        for up to the next edges, and what lies outside is filtered out.
        """
        start, end = _edges(self.window.first, self.window.last)
        fields, filters = self.fields, self.filters
        if (start, end) != (self.window.first, self.window.last):
            fields = (*fields, _inside(self.window))
            filters = (*filters, Filter(column=_INSIDE, op="exists"))
        return {
            "start_time": start,
            "time_range": end - start,
            "calculations": [c.model_dump(exclude_none=True) for c in self.calculations],
            "filters": [f.model_dump(exclude_none=True) for f in filters],
            "filter_combination": "AND",
            "breakdowns": list(self.breakdowns),
            "calculated_fields": [f.model_dump() for f in fields],
            "orders": [
                o.model_dump(include={"op", "column"}, exclude_none=True)
                | {"order": "descending" if o.descending else "ascending"}
                for o in self.orders
            ],
            "limit": 1000,  # the most a query may ask for; its result may ask for ROWS
        }


class Rows(Model):
    """A result: one row per group, and the link that shows it for good."""

    rows: tuple[dict[str, Any], ...]
    link: str

    @property
    def truncated(self) -> bool:
        """Whether groups were left out."""
        return len(self.rows) >= ROWS


def _edges(first: int, last: int) -> tuple[int, int]:
    """The nearest edges outside that Honeycomb does not cut."""
    start, end = first, last
    for longest, cut in _CUTS:
        start, end = first // cut * cut, -(-last // cut) * cut
        if end - start <= longest:
            break
    return start, end


def _inside(window: Window) -> Field:
    """1 for events of the window, absent for others: `exists` asks for no type of value."""
    since = f"GTE(EVENT_TIMESTAMP(), {window.first})"
    return Field(
        name=_INSIDE, expression=f"IF(AND({since}, LT(EVENT_TIMESTAMP(), {window.last})), 1, null)"
    )
