"""The SQL of filters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .scope import Scope
from .terms import Filter
from .values import Value, compare, literal

TEXT_TESTS = {
    "starts-with": "starts_with",
    "does-not-start-with": "starts_with",
    "ends-with": "ends_with",
    "does-not-end-with": "ends_with",
    "contains": "contains",
    "does-not-contain": "contains",
}


def filters_sql(scope: Scope, filters: Iterable[Filter], combination: str) -> str:
    """SQL of several filters; there is no nesting."""
    tests = [filter_sql(scope.value(f.column), f.op, f.value) for f in filters]
    return f"({f' {combination} '.join(tests)})"


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
    return compare(sql_operator(op), value, literal(wanted), ordered=op not in ("=", "!="))


def sql_operator(op: str) -> str:
    """The comparison as SQL spells it."""
    return "<>" if op == "!=" else op
