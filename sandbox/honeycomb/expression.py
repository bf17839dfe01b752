"""The language of calculated fields: functions, infix operators, `$columns` and literals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from .errors import ApiError

MAX_LENGTH = 4_095
MAX_DEPTH = 50
TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<raw>`[^`]*`)
    | (?P<column>\$(?:"(?:[^"\\]|\\.)*"|`[^`]*`|[\w./:=+?-]+))
    | (?P<word>[A-Za-z][A-Za-z0-9_]*)
    | (?P<sign>!=|<=|>=|[-+*/%=<>!(),])
    )""",
    re.VERBOSE,
)
CONSTANTS = {"true": True, "false": False, "null": None}
# Loosest first; an operator is another way to write the function.
INFIX: tuple[dict[str, str], ...] = (
    {"OR": "OR"},
    {"AND": "AND"},
    {"=": "EQUALS", "!=": "NOT_EQUALS", "<": "LT", "<=": "LTE", ">": "GT", ">=": "GTE"},
    {"+": "SUM", "-": "SUB"},
    {"*": "MUL", "/": "DIV", "%": "MOD"},
)


@dataclass(frozen=True)
class Literal:
    """A value written in the expression."""

    value: str | int | float | bool | None


@dataclass(frozen=True)
class Field:
    """`$name`."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function of expressions."""

    function: str
    arguments: tuple[Expression, ...]


Expression = Literal | Field | Call


def parse(text: str) -> Expression:
    """The syntax tree, or a 422 that says where the expression stops making sense."""
    if len(text) > MAX_LENGTH:
        raise ApiError(422, f"expression is longer than {MAX_LENGTH} characters")
    parser = _Parser(text)
    tree = parser.infix(0)
    if parser.kind:
        raise parser.wrong("the end")
    return tree


def fields(tree: Expression) -> set[str]:
    """The columns an expression reads."""
    if isinstance(tree, Field):
        return {tree.name}
    if isinstance(tree, Call):
        return set().union(*(fields(argument) for argument in tree.arguments))
    return set()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._at, self._depth = text, 0, 0
        self.kind, self.token = "", ""
        self._next()

    def wrong(self, expected: str) -> ApiError:
        found = repr(self.token) if self.kind else "the end"
        return ApiError(422, f"invalid expression: expected {expected} but found {found}")

    def infix(self, level: int) -> Expression:
        if level == len(INFIX):
            return self._prefix()
        left = self.infix(level + 1)
        while (operator := self.token.upper()) in INFIX[level] and self.kind in ("sign", "word"):
            self._next()
            left = Call(INFIX[level][operator], (left, self.infix(level + 1)))
        return left

    def _prefix(self) -> Expression:
        kind, token = self.kind, self.token
        if kind == "sign" and token in ("!", "-"):
            self._next()
            return _negated(self._deeper(self._prefix), token)
        if kind == "sign" and token == "(":
            self._next()
            inner = self._deeper(lambda: self.infix(0))
            self._expect(")")
            return inner
        if kind in ("", "sign"):
            raise self.wrong("a value")
        self._next()
        if kind == "word" and token.lower() not in CONSTANTS:
            return Call(token.upper(), self._arguments())
        return self._leaf(kind, token)

    @staticmethod
    def _leaf(kind: str, token: str) -> Expression:
        if kind == "number":
            return Literal(float(token) if re.search(r"[.eE]", token) else int(token))
        if kind in ("text", "raw"):
            return Literal(_unquoted(token))
        if kind == "column":
            return Field(_unquoted(token[1:]))
        return Literal(CONSTANTS[token.lower()])

    def _arguments(self) -> tuple[Expression, ...]:
        self._expect("(")
        arguments: list[Expression] = []
        while not (self.kind == "sign" and self.token == ")"):
            if arguments:
                self._expect(",")
                if self.token == ")":  # a trailing comma is allowed
                    break
            arguments.append(self._deeper(lambda: self.infix(0)))
        self._expect(")")
        return tuple(arguments)

    def _deeper(self, read: Callable[[], Expression]) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ApiError(422, f"invalid expression: nested more than {MAX_DEPTH} deep")
        inner = read()
        self._depth -= 1
        return inner

    def _expect(self, sign: str) -> None:
        if self.kind != "sign" or self.token != sign:
            raise self.wrong(repr(sign))
        self._next()

    def _next(self) -> None:
        match = TOKEN.match(self._text, self._at)
        if match is None:
            if self._text[self._at :].strip():
                self.kind, self.token = "unknown", self._text[self._at :].strip()[:20]
                raise self.wrong("an expression")
            self.kind, self.token = "", ""
            return
        self._at = match.end()
        self.kind = match.lastgroup or ""
        self.token = match[self.kind]


def _negated(inner: Expression, sign: str) -> Expression:
    if sign == "!":
        return Call("NOT", (inner,))
    if isinstance(inner, Literal) and isinstance(inner.value, (int, float)):
        return Literal(-inner.value)
    return Call("SUB", (Literal(0), inner))


def _unquoted(token: str) -> str:
    if token.startswith("`"):
        return token[1:-1]
    if token.startswith('"'):
        try:
            return str(json.loads(token))
        except ValueError as error:
            raise ApiError(422, f"invalid expression: bad string {token}") from error
    return token
