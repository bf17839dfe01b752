"""SQL for values whose JSON type is known only row by row.

A Value is up to three SQL expressions, one for each JSON type it may have; in a row at most one
of them is not null. Comparing across types therefore yields false, never an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .errors import ApiError

NULL = "NULL"


@dataclass(frozen=True)
class Value:
    """SQL of a value as text, as number and as flag; None where it cannot be of that type."""

    text: str | None = None
    number: str | None = None
    flag: str | None = None

    def parts(self) -> list[str]:
        """The SQL of every type it may have."""
        return [part for part in (self.text, self.number, self.flag) if part is not None]

    def exists(self) -> str:
        """SQL: whether there is a value; never null."""
        return _any(f"({part}) IS NOT NULL" for part in self.parts())

    def true(self) -> str:
        """SQL: whether the value is truthy; never null."""
        tests = []
        if self.flag is not None:
            tests.append(f"coalesce({self.flag}, false)")
        if self.number is not None:
            tests.append(f"coalesce({self.number} <> 0, false)")
        if self.text is not None:
            tests.append(f"coalesce(lower({self.text}) NOT IN ('', '0', 'false'), false)")
        return _any(tests)

    def as_text(self) -> str:
        """SQL: the value written out."""
        return f"coalesce({', '.join(f'CAST({p} AS VARCHAR)' for p in [*self.parts(), NULL])})"


def _any(tests: Iterable[str]) -> str:
    joined = " OR ".join(tests)
    return f"({joined})" if joined else "false"


def literal(value: str | float | bool | None) -> Value:
    """A constant."""
    if value is None:
        return Value()
    if isinstance(value, bool):
        return Value(flag=str(value).lower())
    if isinstance(value, (int, float)):
        return Value(number=repr(value))
    if "\0" in value:
        raise ApiError(422, "a value contains a NUL character")
    return Value(text="'" + value.replace("'", "''") + "'")


def column(physical: Mapping[str, str]) -> Value:
    """A stored column, by its SQL types."""
    numbers = [physical[kind] for kind in ("DOUBLE", "BIGINT") if kind in physical]
    return Value(
        text=physical.get("VARCHAR"),
        number=f"coalesce({', '.join(numbers)})" if len(numbers) > 1 else next(iter(numbers), None),
        flag=physical.get("BOOLEAN"),
    )


def compare(operator: str, left: Value, right: Value, *, ordered: bool = False) -> str:
    """SQL: `left operator right` where the types agree, else false; never null."""
    pairs = [(left.text, right.text), (left.number, right.number)]
    if not ordered:
        pairs.append((left.flag, right.flag))
    return _any(
        f"coalesce({one} {operator} {other}, false)"
        for one, other in pairs
        if one is not None and other is not None
    )


def choose(cases: list[tuple[str, Value]], otherwise: Value) -> Value:
    """The value of the first case whose SQL condition holds."""
    chosen = Value()
    for part in ("text", "number", "flag"):
        options = [getattr(value, part) for _, value in cases] + [getattr(otherwise, part)]
        if all(option is None for option in options):
            continue
        whens = " ".join(
            f"WHEN {test} THEN {getattr(value, part) or NULL}" for test, value in cases
        )
        chosen = replace(
            chosen, **{part: f"(CASE {whens} ELSE {getattr(otherwise, part) or NULL} END)"}
        )
    return chosen
