"""One Python file of a program, parsed once: names, calls, constants and where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import libcst as cst
import libcst.matchers as m
from libcst.metadata import (
    Assignment,
    ByteSpanPositionProvider,
    GlobalScope,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    ScopeProvider,
)

from backburn.errors import Abstained
from backburn.patch import Files

from .place import Place, text_of

FOREIGN = frozenset({"venv", ".venv", "node_modules", "__pycache__", "site-packages", ".git"})


def modules(files: Files, directory: str) -> list[Module]:
    """Every Python file of the program's folder; Abstained if one does not parse."""
    root = PurePosixPath(directory)
    found = []
    for name in sorted(files):
        path = PurePosixPath(name)
        inside = path.is_relative_to(root) or str(root) == "."
        if inside and path.suffix == ".py" and not FOREIGN & set(path.parts):
            found.append(Module(name, files[name]))
    return found


class Module:
    """The syntax tree of one file."""

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.data = data
        self.source, self._bom = text_of(file, data)
        try:
            tree = cst.parse_module(self.source)
        except cst.ParserSyntaxError as wrong:
            raise Abstained(f"{file}:{wrong.raw_line}: not Python: {wrong.message}") from wrong
        self._wrapper = MetadataWrapper(tree)
        self.tree = self._wrapper.module

    def calls(self, wanted: frozenset[str]) -> Iterator[cst.Call]:
        """Calls of any of these qualified names."""
        for call in m.findall(self.tree, m.Call()):
            if isinstance(call, cst.Call) and self.is_one_of(call, wanted):
                yield call

    def is_one_of(self, call: cst.Call, wanted: frozenset[str]) -> bool:
        """Whether what is called can only be one of these qualified names."""
        scope = self._meta(ScopeProvider, call.func)
        names = {q.name for q in scope.get_qualified_names_for(call.func)} if scope else set()
        return bool(names) and names <= wanted

    def where(self, node: cst.CSTNode) -> str:
        """`file:line`."""
        return f"{self.file}:{self._meta(PositionProvider, node).start.line}"

    def place(self, node: cst.SimpleString | cst.Integer, value: str) -> Place:
        """Where a literal stands in the file."""
        start = self._bom + self._meta(ByteSpanPositionProvider, node).start
        token = node.value
        if self.data[start : start + len(token.encode())] != token.encode():
            raise Abstained(f"{self.where(node)}: cannot find {token} in the file's bytes")
        line = self._meta(PositionProvider, node).start.line
        return Place(file=self.file, start=start, line=line, token=token, value=value)

    def text(self, node: cst.BaseExpression) -> str | None:
        """The string an expression of constants stands for, None if it is computed."""
        match node:
            case cst.SimpleString():
                value = node.evaluated_value
                return value if isinstance(value, str) else None
            case cst.Name():
                assigned = self.assigned(node)
                return self.text(assigned) if assigned is not None else None
            case cst.FormattedString() if "r" not in node.prefix.lower():
                return _joined(self._part(p) for p in node.parts)
            case cst.ConcatenatedString():
                return _joined(self.text(n) for n in (node.left, node.right))
            case cst.BinaryOperation(operator=cst.Add()):
                return _joined(self.text(n) for n in (node.left, node.right))
        return None

    def assigned(self, name: cst.Name) -> cst.BaseExpression | None:
        """What a module-level constant is set to, if it is set exactly once and there."""
        assignment = self._assignment(name)
        if assignment is None:
            return None
        target = self._meta(ParentNodeProvider, assignment.node)
        statement = self._meta(ParentNodeProvider, target)
        if isinstance(target, cst.AnnAssign):
            statement, value = target, target.value
        elif isinstance(statement, cst.Assign) and len(statement.targets) == 1:
            value = statement.value
        else:
            return None
        line = self._meta(ParentNodeProvider, statement)
        at_top = isinstance(self._meta(ParentNodeProvider, line), cst.Module)
        return value if at_top else None

    def uses(self, name: cst.Name) -> int:
        """How often the constant is read: any mention counts, as attribute or in quotes too."""
        names = m.findall(self.tree, m.Name(name.value))
        texts = m.findall(self.tree, m.SimpleString())
        quoted = [t for t in texts if isinstance(t, cst.SimpleString)]
        return len(names) - 1 + sum(1 for t in quoted if t.evaluated_value == name.value)

    def _assignment(self, name: cst.Name) -> Assignment | None:
        scope = self._meta(ScopeProvider, name)
        found = list(scope[name.value]) if scope is not None else []
        if len(found) != 1 or not isinstance(found[0], Assignment):
            return None
        only = found[0]
        return only if isinstance(only.scope, GlobalScope) else None

    def _part(self, part: cst.BaseFormattedStringContent) -> str | None:
        if isinstance(part, cst.FormattedStringText):
            # An escape or a doubled brace would need Python's own rules: no constant for us.
            return part.value if not set(part.value) & set("\\{}") else None
        if isinstance(part, cst.FormattedStringExpression):
            plain = part.conversion is None and part.format_spec is None and part.equal is None
            return self.text(part.expression) if plain else None
        return None

    def _meta(self, provider: Any, node: cst.CSTNode) -> Any:
        return self._wrapper.resolve(provider).get(node)


def _joined(parts: Iterator[str | None]) -> str | None:
    texts = list(parts)
    return None if None in texts else "".join(t for t in texts if t is not None)
