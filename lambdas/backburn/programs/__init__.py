"""Where a program says a value: located without doubt, or Abstained.

One module per language, and one for stack configuration. All of them point at a single token
of the text, so that an edit leaves every other byte as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from backburn.bundle import under
from backburn.change import Change
from backburn.errors import Abstained
from backburn.patch import Edit, Files
from backburn.workload import Resource

from . import python
from .place import Place, text_of


def locate(
    files: Files, directory: str, stack: str, resource: Resource, properties: tuple[str, ...]
) -> Mapping[str, Place]:
    """Where each property of the resource gets its value; Abstained if in doubt."""
    project = project_of(files, directory)
    runtime = project.get("runtime")
    language = runtime.get("name") if isinstance(runtime, dict) else runtime
    if language != "python":
        raise Abstained(f"the program's runtime is {language}: only Python programs are edited")
    places = python.locate(files, directory, f"{project['name']}", stack, resource, properties)
    spots = [(p.file, p.start) for p in places.values()]
    if len(set(spots)) != len(spots):
        raise Abstained(f"one value is both {' and '.join(sorted(places))} of {resource.name}")
    return places


def edits(places: Mapping[str, Place], change: Change) -> tuple[Edit, ...]:
    """The edits that make the program say what the change means."""
    made = []
    for move in change.moves:
        place = places[move.property]
        if place.value != move.before:
            raise Abstained(
                f"{place.file}:{place.line} says {move.property} is {place.value}, "
                f"not {move.before}"
            )
        made.append(place.edit(move.after))
    return tuple(made)


def project_of(files: Files, directory: str) -> Mapping[str, Any]:
    """What Pulumi.yaml says; Abstained if there is none that can be read."""
    name = under(directory, "Pulumi.yaml")
    if name not in files:
        raise Abstained(f"the bundle has no {name}: set program.directory in workloads.yaml")
    try:
        project = YAML(typ="safe", pure=True).load(text_of(name, files[name])[0])
    except YAMLError as wrong:
        raise Abstained(f"{name} is no YAML: {first_line(wrong)}") from wrong
    if not isinstance(project, dict) or not isinstance(project.get("name"), str):
        raise Abstained(f"{name} names no project")
    return project


def first_line(wrong: Exception) -> str:
    """An error of a parser, short enough for a sentence."""
    return " ".join(str(wrong).split())[:200]
