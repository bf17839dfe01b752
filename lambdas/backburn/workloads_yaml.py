"""Read workloads.yaml: every mistake at once, each with its line, its field and what was expected.

Apart from the models because only the synthesis and the operator's desk read YAML; the functions
get the validated workloads as JSON.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from .errors import BadWorkloads
from .workload import Mode, Workloads

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class _Mistake:
    line: int
    field: str
    expected: str

    def __str__(self) -> str:
        return f"  line {self.line}, {self.field}: {self.expected}"


def load(path: Path) -> Workloads:
    """The workloads of a file; BadWorkloads says everything that is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadWorkloads(f"{path.name} cannot be read: {error}") from error
    return parse(text, path.name)


def parse(text: str, name: str = "workloads.yaml") -> Workloads:
    """The workloads of a text; `name` is what the error calls it."""
    document = _Document(text, name)
    try:
        workloads = Workloads.model_validate(document.value)
    except ValidationError as error:
        found = [document.mistake(detail) for detail in _causes(error)]
        raise BadWorkloads(_report(name, document.repeated + found)) from error
    mistakes = document.repeated + list(_contradictions(workloads, document))
    if mistakes:
        raise BadWorkloads(_report(name, mistakes))
    return workloads


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """Without "too short", which pydantic adds to a list whose items were refused."""
    details = error.errors()
    paths = [tuple(detail["loc"]) for detail in details]
    return [
        detail
        for detail, path in zip(details, paths, strict=True)
        if detail["type"] != "too_short"
        or not any(other != path and other[: len(path)] == path for other in paths)
    ]


def _report(name: str, mistakes: list[_Mistake]) -> str:
    places = "one place" if len(mistakes) == 1 else f"{len(mistakes)} places"
    ordered = sorted(mistakes, key=lambda mistake: mistake.line)
    return "\n".join([f"{name} is wrong in {places}:", *map(str, ordered)])


class _Document:
    """A YAML text as plain values, with the line of every one of them."""

    def __init__(self, text: str, name: str) -> None:
        self.repeated: list[_Mistake] = []
        self._lines: dict[Path_, int] = {(): 1}
        try:
            node = YAML(typ="safe", pure=True).compose(text)
        except MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            mistake = _Mistake(line, "the text", f"is not YAML: {error.problem or error}")
            raise BadWorkloads(_report(name, [mistake])) from error
        self.value = None if node is None else self._plain(node, ())

    def _plain(self, node: Node, path: Path_) -> Any:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return dict(self._entries(node, path))
        if isinstance(node, SequenceNode):
            return [self._plain(item, (*path, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)  # noqa: S101  # the only kind left in YAML's tree
        return _scalar(node)

    def _entries(self, node: MappingNode, path: Path_) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                self.repeated.append(_Mistake(line, _dotted((*path, name)), "stands here twice"))
            seen.add(name)
            self._lines[(*path, name)] = line
            yield name, self._plain(value, (*path, name))

    def line(self, path: Path_) -> int:
        """The line of a value, or of the nearest thing around it that is in the file."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def mistake(self, detail: ErrorDetails) -> _Mistake:
        path = tuple(detail["loc"])
        return _Mistake(self.line(path), _dotted(path), _expected(detail))


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    """Plain YAML 1.2 scalars; a timestamp stays text, so that its offset is not lost."""
    kind, text = str(node.tag).rsplit(":", 1)[-1], node.value
    if kind == "int":
        return int(text.replace("_", ""), 0 if text[:2].lower() in {"0x", "0o"} else 10)
    if kind == "float":
        return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    if kind == "bool":
        return bool(text.lower() == "true")
    return None if kind == "null" else str(text)


def _expected(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    path = tuple(detail["loc"])
    if kind == "extra_forbidden":
        known = sorted(_fields(path[:-1]))
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}"
        return f"is no known field; {hint}"
    if kind == "missing":
        about = _fields(path[:-1]).get(str(path[-1]), "")
        return "is missing" + (f"; expected: {about}" if about else "")
    if kind == "string_pattern_mismatch":
        return f"{detail['input']!r} must match {context['pattern']}"
    said = detail["msg"][:1].lower() + detail["msg"][1:]
    return (
        said if isinstance(detail["input"], dict | list) else f"{said}, found {detail['input']!r}"
    )


def _fields(path: Path_) -> dict[str, str]:
    """The fields that may stand at `path`, each with its description."""
    model: type[BaseModel] = Workloads
    for step in path:
        if isinstance(step, int):
            continue
        kinds: list[Any] = [model.model_fields[step].annotation]
        while kinds and not (isinstance(kinds[0], type) and issubclass(kinds[0], BaseModel)):
            kinds = [*getattr(kinds[0], "__args__", ()), *kinds[1:]]
        model = kinds[0]
    return {name: field.description or "" for name, field in model.model_fields.items()}


def _contradictions(workloads: Workloads, document: _Document) -> Iterator[_Mistake]:
    """What is well-formed, but cannot be meant."""
    names: dict[str, str] = {}
    slos: dict[str, str] = {}
    for i, workload in enumerate(workloads.workloads):
        here: Path_ = ("workloads", i)
        if names.setdefault(workload.name, _dotted(here)) != _dotted(here):
            path = (*here, "name")
            other = f"{workload.name!r} is already the name of {names[workload.name]}"
            yield _Mistake(document.line(path), _dotted(path), other)
        for j, slo in enumerate(workload.slos):
            path = (*here, "slos", j)
            if slos.setdefault(slo, _dotted(path)) != _dotted(path):
                other = f"{slo!r} is already routed by {slos[slo]}; one SLO, one workload"
                yield _Mistake(document.line(path), _dotted(path), other)
        if workload.mode is Mode.APPLY and not workload.ecs.task_roles:
            path = (*here, "ecs")
            said = "mode apply needs task_roles, the roles that new tasks may be given"
            yield _Mistake(document.line(path), _dotted(path), said)
        for j, freeze in enumerate(workload.limits.freeze):
            if freeze.start >= freeze.end:
                path = (*here, "limits", "freeze", j, "end")
                yield _Mistake(document.line(path), _dotted(path), "must be after `start`")


def _dotted(path: Path_) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "the file"
