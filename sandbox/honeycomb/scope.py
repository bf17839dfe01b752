"""What a column name means: a query's own field, a derived column, or what events carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .errors import ApiError
from .events import Events
from .expression import fields, parse
from .functions import compile_expression
from .objects import Object, Objects
from .values import Value, column

EVERYTHING = "__all__"
MAX_NESTING = 10
MAX_SQL = 100_000  # columns that use columns that use columns can explode


def slug(name: str) -> str:
    """A dataset's name as it stands in paths."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name.strip().lower())


def derived_columns(objects: Objects, dataset: str) -> list[Object]:
    """Those of the dataset, `__all__` for the environment's."""
    return [o for o in objects.all("derived_column") if o["dataset"] == dataset]


class Scope:
    """The columns a query on one dataset (or on all of them) can name."""

    def __init__(
        self,
        events: Events,
        objects: Objects,
        dataset: str,
        own: Mapping[str, str] | None = None,
    ) -> None:
        self._compiled: dict[str, Value] = {}
        self._stored = events.columns(None if dataset == EVERYTHING else dataset)
        everywhere = derived_columns(objects, EVERYTHING)
        here = derived_columns(objects, dataset)
        self._derived = {o["alias"]: o["expression"] for o in [*everywhere, *here]} | dict(
            own or {}
        )

    def check(self, names: Iterable[str]) -> None:
        """422 for a name no event has carried yet: a column exists from its first value on."""
        for name in names:
            if name not in self._derived and name not in self._stored:
                raise ApiError(422, f"unknown column {name!r}")

    def check_expression(self, text: str) -> None:
        """422 unless the expression parses, compiles and reads known columns only."""
        tree = parse(text)
        self.check(fields(tree))
        compile_expression(tree, self.value)

    def value(self, name: str, depth: int = 0) -> Value:
        """The SQL of a column; nothing for one that no event carries."""
        if name not in self._compiled:
            self._compiled[name] = self._compile(name, depth)
        return self._compiled[name]

    def _compile(self, name: str, depth: int) -> Value:
        if name not in self._derived:
            stored = self._stored.get(name)
            return column(stored.physical) if stored else Value()
        if depth > MAX_NESTING:
            raise ApiError(422, f"derived column {name!r} is nested too deeply")
        tree = parse(self._derived[name])
        value = compile_expression(tree, lambda inner: self.value(inner, depth + 1))
        if sum(map(len, value.parts())) > MAX_SQL:
            raise ApiError(422, f"derived column {name!r} is too complex")
        return value
