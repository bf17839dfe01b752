"""Running a query: the rows as the Query Data API gives them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .events import Events
from .query import Query
from .scope import Scope
from .statement import Statement, width

SERIES_POINTS = 120
STEPS = (1, 5, 10, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
Group = tuple[Any, ...]


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
    other: bool


def execute(events: Events, scope: Scope, run: Run, interrupt: threading.Event) -> dict[str, Any]:
    """The `data` of a query result; setting `interrupt` makes it end with a duckdb.Error."""
    window = (run.start, run.end)
    statement = Statement(run.query, scope, run.dataset, window, sampled=events.sampled)
    results = _rows(
        statement, run.query, events.read(statement.grouped(limit=run.limit), interrupt)
    )
    data: dict[str, Any] = {"results": [{"data": row} for _, _, row in results], "series": []}
    if run.series:
        shown = {group for _, group, _ in results}
        step = run.query.granularity or _step(run.end - run.start)
        rows = _rows(statement, run.query, events.read(statement.grouped(bucket=step), interrupt))
        data["series"] = [
            {"time": _iso(bucket), "data": row} for bucket, group, row in rows if group in shown
        ]
    if run.total and statement.groups:
        data["total_by_aggregate"] = _total(run.query, events.read(statement.total(), interrupt))
    if run.other and statement.groups:
        rest = events.read(statement.total(beyond=run.limit), interrupt)
        data["other_by_aggregate"] = _total(run.query, rest)
    return data


def _total(query: Query, rows: list[Group]) -> dict[str, Any]:
    ((seen, *cells),) = rows
    return {"data": _named(query, cells) if seen else {}}


def _rows(
    statement: Statement, query: Query, rows: list[Group]
) -> list[tuple[int, Group, dict[str, Any]]]:
    answer = []
    for bucket, _seen, *cells in rows:
        row: dict[str, Any] = {}
        at = 0
        for name, value in zip(query.breakdowns, statement.groups, strict=True):
            found = [cell for cell in cells[at : at + width(value)] if cell is not None]
            at += width(value)
            if found:  # a group without a value has no key
                row[name] = found[0]
        answer.append((bucket, tuple(cells[:at]), row | _named(query, cells[at:])))
    return answer


def _named(query: Query, cells: list[Any]) -> dict[str, Any]:
    # A calculation over no values has no key: the API's schema knows no null.
    pairs = zip(query.asked(), cells, strict=True)
    return {one.key: cell for one, cell in pairs if cell is not None}


def _step(seconds: int) -> int:
    return next((step for step in STEPS if seconds / step <= SERIES_POINTS), STEPS[-1])


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
