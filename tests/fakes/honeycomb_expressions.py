"""Calculated fields evaluated over one event: the few functions that Backburn's queries use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any

_COLUMN = re.compile(r"\$([\w./-]+)")
_WORDS = {"true": "True", "false": "False", "null": "None"}


def evaluate(expression: str, event: Mapping[str, Any]) -> Any:
    """The expression's value for the event; a comparison of different types is false."""
    functions = {
        "IF": lambda test, then, other=None: then if test is True else other,
        "AND": lambda *tests: all(test is True for test in tests),
        "OR": lambda *tests: any(test is True for test in tests),
        "NOT": lambda test: test is not True,
        "EXISTS": lambda value: value is not None,
        "EQUALS": lambda one, other: _same(one, other) and one == other,
        "LT": lambda one, other: _same(one, other) and one < other,
        "LTE": lambda one, other: _same(one, other) and one <= other,
        "GT": lambda one, other: _same(one, other) and one > other,
        "GTE": lambda one, other: _same(one, other) and one >= other,
        "DIV": lambda one, other: one / other if other else None,
        "INT": int,
        "EVENT_TIMESTAMP": lambda: event["time"],
        "column": event.get,
    }
    return eval(_compiled(expression), {"__builtins__": {}}, functions)


def columns_of(expression: str) -> list[str]:
    """The columns that the expression reads."""
    return _COLUMN.findall(expression)


@cache
def _compiled(expression: str) -> CodeType:
    python = _COLUMN.sub(r'column("\1")', expression)
    python = re.sub(r"\b(true|false|null)\b", lambda word: _WORDS[word.group()], python)
    return compile(python, expression, "eval")


def _same(one: Any, other: Any) -> bool:
    numbers = (int, float)
    both_numbers = isinstance(one, numbers) and isinstance(other, numbers)
    return both_numbers or type(one) is type(other)
