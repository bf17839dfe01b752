"""The terms of a query: filters, calculations, orders, havings, calculated fields."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

PERCENTILES = frozenset(
    {"P001", "P01", "P05", "P10", "P20", "P25", "P50", "P75", "P80", "P90", "P95", "P99", "P999"}
)
REFUSED = frozenset(
    {"HEATMAP", "CONCURRENCY", "RATE_AVG", "RATE_SUM", "RATE_MAX"}
)  # real, but not in this stand-in
UNARY = frozenset({"exists", "does-not-exist"})
OPERATORS = UNARY | {
    *("=", "!=", ">", ">=", "<", "<="),
    *("starts-with", "does-not-start-with", "ends-with", "does-not-end-with"),
    *("contains", "does-not-contain", "in", "not-in"),
}


class Part(BaseModel):
    """A part of a spec: unknown fields are refused, so that a typo does not pass unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Filter(Part):
    """One comparison; the JSON type of the value counts."""

    column: str
    op: str
    value: Any = None

    @model_validator(mode="after")
    def _check(self) -> Filter:
        if self.op not in OPERATORS:
            raise ValueError(f"unknown filter op {self.op!r}")
        if self.op in UNARY and self.value is not None:
            raise ValueError(f"filter op {self.op!r} takes no value")
        if self.op in ("in", "not-in"):
            if not (isinstance(self.value, list) and all(map(_is_scalar, self.value))):
                raise ValueError(f"filter op {self.op!r} takes a list of strings and numbers")
        elif self.op not in UNARY and not _is_scalar(self.value):
            raise ValueError(f"filter op {self.op!r} takes a string, number or boolean")
        return self


def _is_scalar(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, (str, int, bool))


class Calculation(Part):
    """What is computed of every group."""

    op: str
    column: str | None = None
    name: str | None = Field(default=None, min_length=1)
    filters: tuple[Filter, ...] = Field(default=(), max_length=100)
    filter_combination: Literal["AND", "OR"] = "AND"

    @model_validator(mode="after")
    def _check(self) -> Calculation:
        if self.op in REFUSED:
            raise ValueError(f"calculation {self.op} is not available in this stand-in")
        if self.op not in PERCENTILES | {"COUNT", "SUM", "AVG", "MIN", "MAX", "COUNT_DISTINCT"}:
            raise ValueError(f"unknown calculation op {self.op!r}")
        if (self.op == "COUNT") != (self.column is None):
            wants = "takes no column" if self.op == "COUNT" else "needs a column"
            raise ValueError(f"calculation {self.op} {wants}")
        return self

    @property
    def key(self) -> str:
        """Its key in the results."""
        return self.name or (f"{self.op}({self.column})" if self.column else self.op)


class Order(Part):
    """A breakdown or a calculation, ascending unless said otherwise."""

    column: str | None = None
    op: str | None = None
    order: Literal["ascending", "descending"] = "ascending"


class Having(Part):
    """A condition on a calculation's value."""

    calculate_op: str
    column: str | None = None
    op: Literal["=", "!=", ">", ">=", "<", "<="]
    value: FiniteFloat


class CalculatedField(Part):
    """A derived column of this query alone."""

    name: str = Field(min_length=1, max_length=255)
    expression: str
