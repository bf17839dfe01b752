"""The functions of calculated fields: how many arguments each takes, and its SQL."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from .errors import ApiError
from .expression import Expression, Field, Literal
from .values import NULL, Value, choose, compare, literal

Arguments = list[Value]
Build = Callable[[Arguments], Value]
Columns = Callable[[str], Value]
MANY = 1_000


def _flag(sql: str) -> Value:
    return Value(flag=f"({sql})")


def _ordering(operator: str) -> Build:
    return lambda a: _flag(compare(operator, a[0], a[1], ordered=True))


def _if(arguments: Arguments) -> Value:
    pairs = [(arguments[i].true(), arguments[i + 1]) for i in range(0, len(arguments) - 1, 2)]
    return choose(pairs, arguments[-1] if len(arguments) % 2 else Value())


def _switch(arguments: Arguments) -> Value:
    subject, rest = arguments[0], arguments[1:]
    pairs = [(compare("=", subject, rest[i]), rest[i + 1]) for i in range(0, len(rest) - 1, 2)]
    return choose(pairs, rest[-1] if len(rest) % 2 else Value())


def _coalesce(arguments: Arguments) -> Value:
    return choose([(argument.exists(), argument) for argument in arguments], Value())


def _in(arguments: Arguments) -> Value:
    return _flag(" OR ".join(compare("=", arguments[0], other) for other in arguments[1:]))


def _numbers(arguments: Arguments) -> list[str]:
    return [argument.number or NULL for argument in arguments]


def _arithmetic(template: str) -> Build:
    def build(arguments: Arguments) -> Value:
        sql = reduce(template.format, _numbers(arguments))
        return Value(number=f"({sql})")

    return build


def _text_test(template: str) -> Build:
    return lambda a: _flag(f"coalesce({template.format(*(v.text or NULL for v in a))}, false)")


def _cast(kind: str) -> Build:
    def build(arguments: Arguments) -> Value:
        value = arguments[0]
        parts = ", ".join(f"TRY_CAST({part} AS DOUBLE)" for part in [*value.parts(), NULL])
        number = f"coalesce({parts})"
        return Value(number=f"TRY_CAST(trunc({number}) AS BIGINT)" if kind == "INT" else number)

    return build


def _event_timestamp(_arguments: Arguments) -> Value:
    # Documented as a float, shown with milliseconds; finer than that is not promised.
    return Value(number="((time // 1000000) / 1000.0)")


FUNCTIONS: dict[str, tuple[int, int, Build]] = {
    "IF": (2, MANY, _if),
    "SWITCH": (3, MANY, _switch),
    "COALESCE": (1, MANY, _coalesce),
    "LT": (2, 2, _ordering("<")),
    "LTE": (2, 2, _ordering("<=")),
    "GT": (2, 2, _ordering(">")),
    "GTE": (2, 2, _ordering(">=")),
    "EQUALS": (2, 2, lambda a: _flag(compare("=", a[0], a[1]))),
    "NOT_EQUALS": (2, 2, lambda a: _flag(f"NOT {compare('=', a[0], a[1])}")),
    "IN": (2, MANY, _in),
    "EXISTS": (1, 1, lambda a: _flag(a[0].exists())),
    "NOT": (1, 1, lambda a: _flag(f"NOT {a[0].true()}")),
    "AND": (1, MANY, lambda a: _flag(" AND ".join(v.true() for v in a))),
    "OR": (1, MANY, lambda a: _flag(" OR ".join(v.true() for v in a))),
    "MIN": (1, MANY, lambda a: Value(number=f"least({', '.join(_numbers(a))})")),
    "MAX": (1, MANY, lambda a: Value(number=f"greatest({', '.join(_numbers(a))})")),
    "SUM": (1, MANY, _arithmetic("{} + {}")),
    "SUB": (2, 2, _arithmetic("{} - {}")),
    "MUL": (1, MANY, _arithmetic("{} * {}")),
    "DIV": (2, 2, _arithmetic("({} / nullif({}, 0))")),
    "MOD": (2, 2, _arithmetic("({} % nullif({}, 0))")),
    "LOG10": (1, 1, lambda a: Value(number=f"log10(nullif(greatest({_numbers(a)[0]}, 0), 0))")),
    "INT": (1, 1, _cast("INT")),
    "FLOAT": (1, 1, _cast("FLOAT")),
    "BOOL": (1, 1, lambda a: _flag(a[0].true())),
    "STRING": (1, 1, lambda a: Value(text=a[0].as_text())),
    "CONCAT": (1, MANY, lambda a: Value(text=f"concat({', '.join(v.as_text() for v in a)})")),
    "TO_LOWER": (1, 1, lambda a: Value(text=f"lower({a[0].text or NULL})")),
    "LENGTH": (1, 1, lambda a: Value(number=f"length({a[0].text or NULL})")),
    "STARTS_WITH": (2, 2, _text_test("starts_with({}, {})")),
    "ENDS_WITH": (2, 2, _text_test("ends_with({}, {})")),
    "CONTAINS": (2, 2, _text_test("contains({}, {})")),
    "REG_MATCH": (2, 2, _text_test("regexp_matches({}, {})")),
    "EVENT_TIMESTAMP": (0, 0, _event_timestamp),
    "UNIX_TIMESTAMP": (
        1,
        1,
        lambda a: Value(number=f"epoch(TRY_CAST({a[0].text or NULL} AS TIMESTAMPTZ))"),
    ),
}


def compile_expression(tree: Expression, columns: Columns) -> Value:
    """The SQL of an expression over one event."""
    if isinstance(tree, Literal):
        return literal(tree.value)
    if isinstance(tree, Field):
        return columns(tree.name)
    function = FUNCTIONS.get(tree.function)
    if function is None:
        raise ApiError(422, f"invalid expression: unknown function {tree.function}")
    arguments = [compile_expression(argument, columns) for argument in tree.arguments]
    low, high, build = function
    if not low <= len(arguments) <= high:
        wanted = (
            str(low) if low == high else f"at least {low}" if high == MANY else f"{low} to {high}"
        )
        raise ApiError(
            422,
            f"invalid expression: {tree.function} takes {wanted} arguments, not {len(arguments)}",
        )
    return build(arguments)
