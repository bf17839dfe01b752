"""A telemetry store in memory that answers the subset of the Query Data API that we use."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from backburn.errors import HoneycombDenied
from backburn.telemetry import ROWS, Columns, Query, Rows, Slo
from tests.fakes.honeycomb_expressions import columns_of, evaluate

Event = Mapping[str, Any]  # the span's columns, and `time` in Unix seconds


class FakeTelemetry:
    """One dataset with one SLO whose SLI is a calculated field."""

    def __init__(self, slo: Slo, sli: str, events: Iterable[Event] = ()) -> None:
        self._slo, self._sli = slo, sli
        self.events: list[Event] = list(events)
        self.asked: list[dict[str, Any]] = []
        self.marks: list[tuple[str, datetime, str]] = []

    def slo(self, dataset: str, slo: str) -> Slo:
        if slo != self._slo.id:
            raise HoneycombDenied(f"no SLO {slo} in {dataset}")
        return self._slo

    def columns(self, dataset: str) -> Columns:
        present = {key for event in self.events for key in event if key != "time"}
        return Columns(present=frozenset(present))

    def run(self, dataset: str, query: Query) -> Rows:
        return Rows(
            rows=tuple(self.answer(query.spec())), link=f"https://ui.test/{len(self.asked)}"
        )

    def mark(self, dataset: str, message: str, at: datetime, url: str = "") -> None:
        self.marks.append((message, at, url))

    def answer(self, spec: dict[str, Any], limit: int = ROWS) -> list[dict[str, Any]]:
        """The rows of one query."""
        self.asked.append(spec)
        start = spec["start_time"] // 60 * 60
        end = (spec["start_time"] + spec["time_range"]) // 60 * 60
        fields = {field["name"]: field["expression"] for field in spec["calculated_fields"]}
        fields[self._slo.alias] = self._sli
        self._check(spec, fields)
        groups: dict[tuple[Any, ...], list[Event]] = {}
        for event in self.events:
            if not start <= event["time"] < end:
                continue
            seen = {**event, **{n: evaluate(e, event) for n, e in fields.items()}}
            if all(_passes(test, seen) for test in spec["filters"]):
                groups.setdefault(tuple(seen.get(b) for b in spec["breakdowns"]), []).append(seen)
        rows = [_row(spec, key, members) for key, members in groups.items()]
        for order in reversed(spec["orders"]):
            column = _key(order) if order.get("op") else order["column"]
            descending = order["order"] == "descending"
            rows.sort(key=lambda row, c=column: row.get(c) or 0, reverse=descending)
        return rows[:limit]

    def _check(self, spec: dict[str, Any], fields: Mapping[str, str]) -> None:
        """Refuse a column that no event has carried, as Honeycomb does."""
        named = [*spec["breakdowns"], *(test["column"] for test in spec["filters"])]
        named += [c["column"] for c in spec["calculations"] if c.get("column")]
        inner = [name for f in spec["calculated_fields"] for name in columns_of(f["expression"])]
        present = self.columns("").present
        unknown = sorted({*named, *inner} - present - set(fields))
        if unknown:
            raise HoneycombDenied(f"unknown column {unknown[0]!r}")


def _row(spec: dict[str, Any], key: tuple[Any, ...], members: Sequence[Event]) -> dict[str, Any]:
    row = {b: v for b, v in zip(spec["breakdowns"], key, strict=True) if v is not None}
    return row | {_key(c): _calculate(c, members) for c in spec["calculations"]}


def _key(calculation: Mapping[str, Any]) -> str:
    column = calculation.get("column")
    return f"{calculation['op']}({column})" if column else calculation["op"]


def _calculate(calculation: Mapping[str, Any], members: Sequence[Event]) -> Any:
    op = calculation["op"]
    if op == "COUNT":
        return len(members)
    values = sorted(v for m in members if (v := m.get(calculation["column"])) is not None)
    if not values:
        return None
    if op in ("SUM", "MAX"):
        return {"SUM": sum, "MAX": max}[op](values)
    return values[min(len(values) - 1, int(len(values) * int(op[1:]) / 100))]


def _passes(test: Mapping[str, Any], event: Event) -> bool:
    value, wanted = event.get(test["column"]), test.get("value")
    match test["op"]:
        case "exists":
            return value is not None
        case "does-not-exist":
            return value is None
        case "in":
            return value in wanted
        case "=":
            return type(value) is type(wanted) and value == wanted
        case op:
            raise ValueError(f"filter op {op}")
