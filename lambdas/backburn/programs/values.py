"""What gives a keyword its value: a literal, a constant used once, or stack configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from backburn.errors import Abstained
from backburn.patch import Files

from . import config
from .module import Module
from .place import Place

GETTERS = ("get", "require", "get_int", "require_int")
CONFIG = frozenset({"pulumi.Config", "pulumi.config.Config"})


@dataclass(frozen=True)
class Program:
    """The whole program, as far as a value may be followed."""

    modules: list[Module]
    files: Files
    directory: str
    project: str
    stack: str


def value_place(program: Program, module: Module, value: cst.BaseExpression, name: str) -> Place:
    """The one token that decides the value; Abstained if there is none we can own."""
    match value:
        case cst.SimpleString() if isinstance(value.evaluated_value, str):
            return module.place(value, value.evaluated_value)
        case cst.Integer():
            return module.place(value, str(value.evaluated_value))
        case cst.Name():
            return value_place(program, module, _constant(program, module, value), name)
        case cst.BooleanOperation(operator=cst.Or()):
            return _configured(program, module, value.left, name)
    return _configured(program, module, value, name)


def _constant(program: Program, module: Module, name: cst.Name) -> cst.BaseExpression:
    value = module.assigned(name)
    if value is None:
        raise Abstained(
            f"{module.where(name)}: {name.value} is no constant set once at the top of the file"
        )
    if module.uses(name) != 1:
        raise Abstained(
            f"{module.where(name)}: {name.value} is used {module.uses(name)} times, so changing "
            f"it would change more than one thing"
        )
    word = re.compile(rf"\b{re.escape(name.value)}\b")
    for other in program.modules:
        if other is not module and word.search(other.source):
            raise Abstained(f"{name.value} of {module.file} is also named in {other.file}")
    return value


def _configured(program: Program, module: Module, value: cst.BaseExpression, name: str) -> Place:
    key = _config_key(program, module, value)
    if key is None:
        raise Abstained(f"{module.where(value)}: {name} is computed, not a value we can change")
    if (readers := _readers(program, key)) != 1:
        raise Abstained(f"{module.where(value)}: the config key {key} is read {readers} times")
    place = config.locate(program.files, program.directory, program.stack, key)
    if place is None:
        raise Abstained(
            f"{module.where(value)}: {name} comes from the config key {key}, which "
            f"Pulumi.{program.stack}.yaml does not set; its default may serve other stacks"
        )
    return place


def _readers(program: Program, key: str) -> int:
    return sum(
        1
        for module in program.modules
        for call in m.findall(module.tree, m.Call())
        if isinstance(call, cst.Call) and _config_key(program, module, call) == key
    )


def _config_key(program: Program, module: Module, value: cst.BaseExpression) -> str | None:
    if not (isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute)):
        return None
    arguments = list(_plain(value))
    if value.func.attr.value not in GETTERS or len(arguments) != 1 or len(value.args) != 1:
        return None
    key = module.text(arguments[0])
    maker = value.func.value
    if isinstance(maker, cst.Name):
        maker = module.assigned(maker) or maker
    if key is None or not (isinstance(maker, cst.Call) and module.is_one_of(maker, CONFIG)):
        return None
    names = list(_plain(maker))
    if not maker.args:
        return f"{program.project}:{key}"
    namespace = module.text(names[0]) if len(names) == len(maker.args) == 1 else None
    return f"{namespace}:{key}" if namespace is not None else None


def _plain(call: cst.Call) -> Iterator[cst.BaseExpression]:
    return (a.value for a in call.args if a.keyword is None and not a.star)
