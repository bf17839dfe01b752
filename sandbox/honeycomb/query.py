"""A query as the Query Data API takes it, and what makes one invalid."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from .errors import ApiError
from .terms import CalculatedField, Calculation, Filter, Having, Order, Part

WEEK = 7 * 24 * 3600
DEFAULT_RANGE = 7200
MAX_LIMIT = 1_000
RELATIONAL = ("root.", "parent.", "child.", "any.", "none.")


class Query(Part):
    """The whole spec."""

    calculations: tuple[Calculation, ...] = Field(default=(), max_length=100)
    filters: tuple[Filter, ...] = Field(default=(), max_length=100)
    filter_combination: Literal["AND", "OR"] = "AND"
    breakdowns: tuple[str, ...] = Field(default=(), max_length=100)
    orders: tuple[Order, ...] = Field(default=(), max_length=100)
    havings: tuple[Having, ...] = Field(default=(), max_length=100)
    calculated_fields: tuple[CalculatedField, ...] = Field(default=(), max_length=100)
    limit: int = Field(default=MAX_LIMIT, ge=1, le=MAX_LIMIT)
    start_time: int | None = Field(default=None, ge=0)
    end_time: int | None = Field(default=None, ge=0)
    time_range: int | None = Field(default=None, ge=1)
    granularity: int | None = Field(default=None, ge=1)
    compare_time_offset_seconds: int | None = None  # accepted, never returned

    @model_validator(mode="after")
    def _check(self) -> Query:
        if None not in (self.start_time, self.end_time, self.time_range):
            raise ValueError("time_range goes with at most one of start_time and end_time")
        if self.seconds <= 0:
            raise ValueError("end_time must be after start_time")
        for order in self.orders:
            self.order_term(order)
        for having in self.havings:
            self.calculation(having.calculate_op, having.column)
        for column in self.columns():
            if column.startswith(RELATIONAL):
                raise ValueError(f"relational field {column!r} is not available in this stand-in")
        keys = [calculation.key for calculation in self.asked()]
        if len(set(keys)) != len(keys):
            raise ValueError("two calculations have the same name")
        if self.granularity and not self.seconds / 1000 <= self.granularity <= self.seconds:
            raise ValueError(f"granularity must be between time_range/1000 and {self.seconds}")
        return self

    def asked(self) -> tuple[Calculation, ...]:
        """The calculations, COUNT if the spec names none."""
        return self.calculations or (Calculation(op="COUNT"),)

    def calculation(self, op: str, column: str | None) -> int:
        """The place of the calculation an order or having means."""
        for place, calculation in enumerate(self.asked()):
            if (calculation.op, calculation.column) == (op, column):
                return place
        raise ValueError(f"{op} of {column or 'events'} is not among the calculations")

    def order_term(self, order: Order) -> tuple[str, int]:
        """("breakdown" or "calculation", its place)."""
        if order.op is not None:
            return "calculation", self.calculation(order.op, order.column)
        if order.column in self.breakdowns:
            return "breakdown", self.breakdowns.index(order.column)
        raise ValueError(f"order term {order.column!r} is not among the breakdowns")

    @property
    def seconds(self) -> int:
        """The length of the range."""
        if self.start_time is not None and self.end_time is not None:
            return self.end_time - self.start_time
        return self.time_range or DEFAULT_RANGE

    def columns(self) -> list[str]:
        """Every column the spec names, in filters, breakdowns and calculations."""
        filters = [*self.filters, *(f for c in self.calculations for f in c.filters)]
        named = [c.column for c in self.calculations if c.column]
        return [*self.breakdowns, *named, *(f.column for f in filters)]

    def window(self, now: float) -> tuple[int, int]:
        """Start and end in unix seconds, truncated as Honeycomb truncates them; 400 if too old."""
        length = self.seconds
        if length > WEEK:
            raise ApiError(400, "query duration must be at most 7 days")
        if self.start_time is not None:
            start, end = self.start_time, self.start_time + length
        else:
            end = self.end_time if self.end_time is not None else int(now)
            start = end - length
        step = 60 if length <= 6 * 3600 else 300 if length <= 2 * 86400 else 1800
        # A relative query of a whole week starts exactly at the edge: the step is the tolerance.
        if start < now - WEEK - step:
            raise ApiError(400, "only events of the past 7 days can be queried")
        return start // step * step, end // step * step


def parse_query(body: Any) -> Query:
    """The spec, or a 422 that names what is wrong with it."""
    if not isinstance(body, dict):
        raise ApiError(400, "the query must be a JSON object")
    try:
        return Query.model_validate(body)
    except ValidationError as error:
        raise invalid(error) from error


def invalid(error: ValidationError, status: int = 422) -> ApiError:
    """The first complaint, with the path of the field it is about."""
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    said = f"{path}: {first['msg']}" if path else str(first["msg"])
    return ApiError(status, said, path)
