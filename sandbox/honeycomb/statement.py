"""The SQL of a query."""

from __future__ import annotations

from .filters import filters_sql, sql_operator
from .query import Query
from .scope import EVERYTHING, Scope
from .terms import Calculation
from .values import NULL, Value, literal


class Statement:
    """A query on a dataset between two moments (unix seconds), as SELECTs."""

    def __init__(
        self, query: Query, scope: Scope, dataset: str, window: tuple[int, int], *, sampled: bool
    ) -> None:
        self._query, self._scope, self._dataset = query, scope, dataset
        self._start, self._end = window
        self._sampled = sampled
        self.groups = [scope.value(name) for name in query.breakdowns]

    def grouped(self, *, bucket: int | None = None, limit: int | None = None) -> str:
        """Columns: bucket, how many rows, the parts of each breakdown, the calculations."""
        names = [f"g{i}" for i in range(sum(map(width, self.groups)))]
        parts = [part for value in self.groups for part in value.parts() or [NULL]]
        time = f"time // {bucket}000000000 * {bucket}" if bucket else "0"
        columns = [
            f"{time} AS bucket",
            "count(*) AS seen",
            *(f"{sql} AS {name}" for sql, name in zip(parts, names, strict=True)),
            *self._calculations(),
        ]
        by = ["bucket", *names]
        order = ["bucket", *self._order(), *names]  # ties must not decide what a limit cuts off
        clauses = [
            f"SELECT {', '.join(columns)} FROM {self._source()}",  # noqa: S608
            f"WHERE {self._where()}",
            f"GROUP BY {', '.join(by)}",
            self._having(),
            f"ORDER BY {', '.join(order)}",
            f"LIMIT {limit}" if limit else "",
        ]
        return " ".join(clauses)

    def total(self, *, beyond: int | None = None) -> str:
        """Columns: how many rows, the calculations over all, or over the groups beyond a limit."""
        names = [f"g{i}" for i in range(sum(map(width, self.groups)))]
        columns = ["count(*) AS seen", *self._calculations()]
        select = f"SELECT {', '.join(columns)} FROM {self._source()} WHERE {self._where()}"  # noqa: S608
        if beyond is None:
            return select
        parts = [part for value in self.groups for part in value.parts() or [NULL]]
        same = " AND ".join(
            f"shown.{name} IS NOT DISTINCT FROM {part}"
            for name, part in zip(names, parts, strict=True)
        )
        shown = f"WITH shown AS ({self.grouped(limit=beyond)})"
        return f"{shown} {select} AND NOT EXISTS (FROM shown WHERE {same})"

    def _source(self) -> str:
        # An event of sample rate n stands for n events: written out as n rows, every calculation
        # is weighted by itself. Only stores that hold sampled events pay for it.
        return "(SELECT events.* FROM events, range(rate))" if self._sampled else "events"

    def _where(self) -> str:
        query = self._query
        parts = [f"time >= {self._start}000000000", f"time < {self._end}000000000"]
        if self._dataset != EVERYTHING:
            parts.append(f"dataset = {literal(self._dataset).text}")
        if query.filters:
            parts.append(filters_sql(self._scope, query.filters, query.filter_combination))
        return " AND ".join(parts)

    def _having(self) -> str:
        query = self._query
        tests = [
            f"k{query.calculation(h.calculate_op, h.column)} {sql_operator(h.op)} {h.value!r}"
            for h in query.havings
        ]
        return f"HAVING {' AND '.join(tests)}" if tests else ""

    def _calculations(self) -> list[str]:
        asked = self._query.asked()
        return [f"{self._calculation(one)} AS k{place}" for place, one in enumerate(asked)]

    def _calculation(self, calculation: Calculation) -> str:
        keep = ""
        if calculation.filters:
            combination = calculation.filter_combination
            keep = f" FILTER (WHERE {filters_sql(self._scope, calculation.filters, combination)})"
        if calculation.column is None:
            return f"count(*){keep}"
        value = self._scope.value(calculation.column)
        if calculation.op == "COUNT_DISTINCT":
            return f"count(DISTINCT {value.as_text()}){keep}"
        number = f"CAST({value.number or NULL} AS DOUBLE)"
        if calculation.op.startswith("P"):
            digits = calculation.op[1:]
            return f"quantile_cont({number}, {int(digits) / 10 ** len(digits)}){keep}"
        return f"{calculation.op.lower()}({number}){keep}"

    def _order(self) -> list[str]:
        query = self._query
        terms = [(*query.order_term(o), o.order == "descending") for o in query.orders]
        # Without orders Honeycomb shows the largest groups first.
        return [
            f"{name} {'DESC' if descending else 'ASC'} NULLS LAST"
            for kind, place, descending in terms or [("calculation", 0, True)]
            for name in ([f"k{place}"] if kind == "calculation" else self._parts_of(place))
        ]

    def _parts_of(self, place: int) -> list[str]:
        before = sum(map(width, self.groups[:place]))
        return [f"g{i}" for i in range(before, before + width(self.groups[place]))]


def width(group: Value) -> int:
    """How many columns a breakdown takes: one for every type it may have, at least one."""
    return len(group.parts()) or 1
