"""The Python program: which call makes a resource, and which token gives it a value.

Only what the syntax tree shows without running anything is believed: the constructor's qualified
name, a logical name that is a constant, a keyword of that one call. Whatever could be shared,
computed or owned elsewhere ends in Abstained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import libcst as cst
import libcst.matchers as m

from backburn.errors import Abstained
from backburn.patch import Files
from backburn.workload import Resource

from .module import Module, modules
from .place import Place
from .values import Program, value_place


def locate(
    files: Files,
    directory: str,
    project: str,
    stack: str,
    resource: Resource,
    properties: tuple[str, ...],
) -> Mapping[str, Place]:
    """Where each property of the resource gets its value; Abstained if in doubt."""
    program = Program(
        modules=modules(files, directory),
        files=files,
        directory=directory,
        project=project,
        stack=stack,
    )
    module, call = _constructor(program, resource)
    _require_owned(module, call, resource, properties)
    return {
        name: value_place(program, module, _keyword(module, call, resource, name), name)
        for name in properties
    }


def snake_case(name: str) -> str:
    """The SDK's spelling of a provider's camelCase property."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def constructors(type_token: str) -> frozenset[str]:
    """Qualified names of the class behind a type token like aws:ecs/service:Service."""
    package, path, kind = type_token.split(":")
    module, _, file = path.partition("/")
    package = f"pulumi_{package.replace('-', '_')}"
    return frozenset(
        {f"{package}.{module}.{kind}", f"{package}.{module}.{snake_case(file)}.{kind}"}
    )


def _constructor(program: Program, resource: Resource) -> tuple[Module, cst.Call]:
    wanted = constructors(resource.type)
    hits: list[tuple[Module, cst.Call]] = []
    computed: list[str] = []
    for module in program.modules:
        for call in module.calls(wanted):
            name = _logical_name(module, call)
            if name == resource.name:
                hits.append((module, call))
            elif name is None:
                computed.append(module.where(call))
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise Abstained(
            f"{resource.name} is made in several places: "
            f"{', '.join(module.where(call) for module, call in hits)}"
        )
    hint = f"; the names at {', '.join(computed)} are computed" if computed else ""
    raise Abstained(f"no call makes {resource.type} {resource.name}{hint}")


def _logical_name(module: Module, call: cst.Call) -> str | None:
    first = call.args[0] if call.args else None
    named = next((a for a in call.args if a.keyword and a.keyword.value == "resource_name"), None)
    if named is None and (first is None or first.keyword is not None or first.star):
        return None
    return module.text(named.value if named else first.value if first else cst.Name("None"))


def _keyword(module: Module, call: cst.Call, resource: Resource, name: str) -> cst.BaseExpression:
    wanted = snake_case(name)
    found = [
        a.value
        for owner in _owners(module, call, resource)
        for a in owner.args
        if a.keyword is not None and a.keyword.value == wanted
    ]
    if len(found) != 1:
        raise Abstained(
            f"{module.where(call)}: {resource.name} does not say {wanted} in its own call"
            if not found
            else f"{module.where(call)}: {resource.name} says {wanted} {len(found)} times"
        )
    return found[0]


def _owners(module: Module, call: cst.Call, resource: Resource) -> Iterator[cst.Call]:
    # The call itself, or the ...Args object it is given: both are this resource's alone.
    yield call
    wanted = frozenset(f"{name}Args" for name in constructors(resource.type))
    for position, arg in enumerate(call.args):
        is_args = arg.keyword.value == "args" if arg.keyword else position == 1
        value = arg.value
        if is_args and isinstance(value, cst.Call) and module.is_one_of(value, wanted):
            yield value


def _require_owned(
    module: Module, call: cst.Call, resource: Resource, properties: tuple[str, ...]
) -> None:
    for option in _ignored(module, call):
        names = m.findall(option.value, m.SimpleString())
        is_plain = m.matches(option.value, m.List([m.ZeroOrMore(m.Element(m.SimpleString()))]))
        ignored = {str(n.evaluated_value) for n in names if isinstance(n, cst.SimpleString)}
        owned = ignored & ({*properties} | {snake_case(p) for p in properties} | {"*"})
        if owned or not is_plain:
            what = ", ".join(sorted(owned)) or "an expression we cannot read"
            raise Abstained(f"{module.where(call)}: ignore_changes of {resource.name} has {what}")


def _ignored(module: Module, call: cst.Call) -> Iterator[cst.Arg]:
    for arg in call.args:
        if arg.keyword is None or arg.keyword.value != "opts":
            continue
        options = arg.value
        if isinstance(options, cst.Name):
            options = module.assigned(options) or options
        for found in m.findall(options, m.Arg(keyword=m.Name("ignore_changes"))):
            if isinstance(found, cst.Arg):
                yield found
