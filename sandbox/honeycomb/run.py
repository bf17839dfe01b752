"""Running a query: its SQL, and the rows as the Query Data API gives them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .events import Events
from .query import Calculation, Filter, Query
from .scope import EVERYTHING, Scope
from .values import NULL, Value, compare, literal

SERIES_POINTS = 120
STEPS = (1, 5, 10, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
TEXT_TESTS = {
    "starts-with": "starts_with",
    "does-not-start-with": "starts_with",
    "ends-with": "ends_with",
    "does-not-end-with": "ends_with",
    "contains": "contains",
    "does-not-contain": "contains",
}


@dataclass(frozen=True)
class Run:
    """One run of a query: which, over what, and how much of the answer is wanted."""

    query: Query
    dataset: str
    start: int
    end: int
    limit: int
    series: bool
    total: bool


class Runner:
    """Writes and executes the SQL of one run."""

    def __init__(
        self, events: Events, scope: Scope, run: Run, interrupt: threading.Event | None = None
    ) -> None:
        self._events, self._scope, self._run = events, scope, run
        self._interrupt = interrupt
        self._groups = [self._group(name) for name in run.query.breakdowns]

    def data(self) -> dict[str, Any]:
        """The `data` of a query result."""
        run = self._run
        results = self._rows(bucket=None, limit=run.limit)
        data: dict[str, Any] = {"results": [{"data": row} for _, _, row in results], "series": []}
        if run.series:
            shown = {group for _, group, _ in results}
            step = run.query.granularity or _step(run.end - run.start)
            data["series"] = [
                {"time": _iso(bucket), "data": row}
                for bucket, group, row in self._rows(bucket=step, limit=None)
                if group in shown
            ]
        if run.total and self._groups:
            groups, self._groups = self._groups, []
            total = self._rows(bucket=None, limit=1)
            self._groups = groups
            data["total_by_aggregate"] = {"data": total[0][2] if total else {}}
        return data

    def _rows(
        self, *, bucket: int | None, limit: int | None
    ) -> list[tuple[int, tuple[Any, ...], dict[str, Any]]]:
        calculations = self._run.query.asked()
        rows = self._events.read(self._sql(bucket, limit), interrupt=self._interrupt)
        answer = []
        for time, seen, *cells in rows:
            if not seen:  # nothing matched: no row, where SQL would give one of zeros
                continue
            row: dict[str, Any] = {}
            parts = 0
            for name, value in zip(self._run.query.breakdowns, self._groups, strict=False):
                width = max(len(value.parts()), 1)
                found = [cell for cell in cells[parts : parts + width] if cell is not None]
                parts += width
                if found:  # a group without a value has no key
                    row[name] = found[0]
            group = tuple(cells[:parts])
            keys = (calculation.key for calculation in calculations)
            row |= dict(zip(keys, cells[parts:], strict=True))
            answer.append((time, group, row))
        return answer

    def _sql(self, bucket: int | None, limit: int | None) -> str:
        query = self._run.query
        groups = [part for value in self._groups for part in (value.parts() or [NULL])]
        calculations = [self._calculation(c) for c in query.asked()]
        time = f"time // {bucket}000000000 * {bucket}" if bucket else "0"
        names = [f"g{i}" for i in range(len(groups))]
        columns = [
            f"{time} AS bucket",
            "count(*) AS seen",
            *(f"{sql} AS {name}" for sql, name in zip(groups, names, strict=True)),
            *(f"{sql} AS k{i}" for i, sql in enumerate(calculations)),
        ]
        by = (["bucket"] if bucket else []) + names
        having = [
            f"k{query.calculation(h.calculate_op, h.column)} {_sql_operator(h.op)} {h.value!r}"
            for h in query.havings
        ]
        return " ".join(
            [
                f"SELECT {', '.join(columns)} FROM {self._source()}",
                f"WHERE {self._where()}",
                f"GROUP BY {', '.join(by)}" if by else "",
                f"HAVING {' AND '.join(having)}" if having else "",
                f"ORDER BY {', '.join(['bucket', *self._order()])}",
                f"LIMIT {limit}" if limit else "",
            ]
        )

    def _source(self) -> str:
        # An event of sample rate n stands for n events: written out as n rows, every calculation
        # is weighted by itself. Only datasets that are sampled pay for it.
        if not self._events.sampled:
            return "events"
        return "(SELECT events.* FROM events, range(events.rate))"

    def _where(self) -> str:
        run, query = self._run, self._run.query
        parts = [f"time >= {run.start}000000000", f"time < {run.end}000000000"]
        if run.dataset != EVERYTHING:
            parts.insert(0, f"dataset = {literal(run.dataset).text}")
        if query.filters:
            parts.append(self._filters(query.filters, query.filter_combination))
        return " AND ".join(parts)

    def _filters(self, filters: tuple[Filter, ...], combination: str) -> str:
        return f"({f' {combination} '.join(self._filter(f) for f in filters)})"

    def _filter(self, test: Filter) -> str:
        value = self._scope.value(test.column)
        return filter_sql(value, test.op, test.value)

    def _group(self, name: str) -> Value:
        return self._scope.value(name)

    def _calculation(self, calculation: Calculation) -> str:
        keep = ""
        if calculation.filters:
            test = self._filters(calculation.filters, calculation.filter_combination)
            keep = f" FILTER (WHERE {test})"
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
        query = self._run.query
        if not query.breakdowns:
            return []
        terms = [(*query.order_term(o), o.order == "descending") for o in query.orders]
        # Without orders Honeycomb shows the largest groups first.
        terms = terms or [("calculation", 0, True)]
        sql: list[str] = []
        for kind, place, descending in terms:
            names = [f"k{place}"] if kind == "calculation" else self._group_columns(place)
            sql += [f"{name} {'DESC' if descending else 'ASC'} NULLS LAST" for name in names]
        # Ties must not decide by chance what a limit cuts off.
        return sql + [f"g{i}" for i in range(sum(len(v.parts()) or 1 for v in self._groups))]

    def _group_columns(self, place: int) -> list[str]:
        if not self._groups:
            return []
        before = sum(len(value.parts()) or 1 for value in self._groups[:place])
        width = len(self._groups[place].parts()) or 1
        return [f"g{i}" for i in range(before, before + width)]


def filter_sql(value: Value, op: str, wanted: Any) -> str:
    """SQL of one filter; false, never null, where value and wanted differ in type or are absent."""
    if op == "exists":
        return value.exists()
    if op == "does-not-exist":
        return f"NOT {value.exists()}"
    if op in ("in", "not-in"):
        tests = " OR ".join(compare("=", value, literal(item)) for item in wanted) or "false"
        return f"({tests})" if op == "in" else f"({value.exists()} AND NOT ({tests}))"
    if op in TEXT_TESTS:
        if value.text is None or not isinstance(wanted, str):
            return "false"
        negation = "NOT " if op.startswith("does-not") else ""
        test = f"{negation}{TEXT_TESTS[op]}({value.text}, {literal(wanted).text})"
        return f"coalesce({test}, false)"
    return compare(_sql_operator(op), value, literal(wanted), ordered=op not in ("=", "!="))


def _sql_operator(op: str) -> str:
    return "<>" if op == "!=" else op


def _step(seconds: int) -> int:
    return next((step for step in STEPS if seconds / step <= SERIES_POINTS), STEPS[-1])


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
