"""A query in words, for the page behind its result."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from .query import Query
from .terms import Calculation, Filter


def in_words(query: Query, dataset: str, start: int, end: int, limit: int) -> list[str]:
    """One line for each part of the query that is there."""
    asked = ", ".join(_calculation(one) for one in query.asked())
    lines = [f"{asked} of {'all datasets' if dataset == '__all__' else dataset}"]
    if query.filters:
        lines.append(f"where {_filters(query.filters, query.filter_combination)}")
    if query.breakdowns:
        lines.append(f"by {', '.join(query.breakdowns)}")
    lines += [
        f"having {h.calculate_op}({h.column or ''}) {h.op} {h.value:g}" for h in query.havings
    ]
    if query.orders:
        terms = [f"{o.op or ''} {o.column or ''} {o.order}".strip() for o in query.orders]
        lines.append(f"ordered by {', '.join(terms)}")
    lines += [f"with {field.name} = {field.expression}" for field in query.calculated_fields]
    lines.append(f"from {moment(start)} to {moment(end)}, at most {limit} groups")
    return lines


def moment(seconds: float) -> str:
    """A moment for a person, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _calculation(one: Calculation) -> str:
    plain = f"{one.op}({one.column})" if one.column else one.op
    named = f"{one.name} = {plain}" if one.name else plain
    where = f" where {_filters(one.filters, one.filter_combination)}" if one.filters else ""
    return named + where


def _filters(filters: tuple[Filter, ...], combination: str) -> str:
    tests = [
        f"{f.column} {f.op}" + ("" if f.value is None else f" {json.dumps(f.value)}")
        for f in filters
    ]
    return f" {combination.lower()} ".join(tests)
