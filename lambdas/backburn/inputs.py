"""Input properties of a resource: their paths, and their values as a digest binds them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from typing import Any

from pydantic import JsonValue

from .errors import Refused

UNKNOWN_MARKS = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # a string nobody knows yet
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # an array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)
LONGEST = 60  # characters of a value in a sentence
SECRET = "[secret]"  # noqa: S105 - what the CLI prints instead of one
DEFAULTS = "__defaults"  # bridged providers note there which inputs they filled in
TOKEN = "$token"  # noqa: S105 - marks a value that has no text of its own
JSON = "$json"  # marks JSON that stood in a string
TASK_DEFINITION = re.compile(r"arn:[\w-]+:ecs:[\w-]*:\d*:task-definition/([\w-]+):\d+")


def token(name: str) -> dict[str, JsonValue]:
    """A value that is bound by what it is, not by its text."""
    return {TOKEN: name}


UNKNOWN = token("unknown")


def is_token(value: JsonValue) -> bool:
    """Whether the value has no text of its own."""
    return isinstance(value, dict) and TOKEN in value


def keys_of(path: str) -> list[str | int]:
    """The parts of a property path: `a.b[0]["c.d"]` is a, b, 0, c.d."""
    keys: list[str | int] = []
    rest = path
    while rest:
        found = re.match(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]', rest)
        if not found:
            raise Refused(f"the preview has a property path we cannot read: {path!r}")
        name, index, quoted = found.groups()
        if index is not None:
            keys.append(int(index))
        else:
            keys.append(name if name is not None else re.sub(r"\\(.)", r"\1", quoted))
        rest = rest[found.end() :]
    if not keys or isinstance(keys[0], int):
        raise Refused(f"the preview has a property path we cannot read: {path!r}")
    return keys


def value_of(value: Any) -> JsonValue:
    """A value as it is bound: integers as integers, JSON text as JSON, tokens for the rest."""
    match value:
        case str():
            return _text(value)
        case float() if value.is_integer():  # gRPC numbers are doubles
            return int(value)
        case list():
            return [value_of(v) for v in value]
        case dict() if own := {TOKEN, JSON} & value.keys():
            raise Refused(f"an input has a key {min(own)!r}, which we use for ourselves")
        case dict():
            return {k: value_of(v) for k, v in value.items() if k != DEFAULTS}
    return value  # type: ignore[no-any-return]


def _text(text: str) -> JsonValue:
    if text in UNKNOWN_MARKS:
        return dict(UNKNOWN)
    if found := TASK_DEFINITION.fullmatch(text):
        return token(f"task-definition {found[1]}")
    if text[:1] not in {"{", "["}:
        return text
    try:
        return {JSON: value_of(json.loads(text, object_pairs_hook=_members))}
    except (ValueError, RecursionError):
        return text


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):  # readers differ in which of them they take
        raise ValueError("a name stands twice")
    return members


def at(inputs: Any, path: str) -> JsonValue:
    """The bound value at a path; None if there is none."""
    for key in keys_of(path):
        try:
            inputs = inputs[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value_of(inputs)


def without(inputs: Any, paths: Iterable[str]) -> Any:
    """The inputs with nothing at these paths; a path that leads nowhere takes nothing away."""
    rest = copy.deepcopy(inputs)
    for path in paths:
        *way, last = keys_of(path)
        inner = rest
        try:
            for key in way:
                inner = inner[key]
            inner[last] = None
        except (KeyError, IndexError, TypeError):
            continue
    return rest


def holds_secret(value: Any) -> bool:
    """Whether the CLI hides a part of this value."""
    match value:
        case str():
            return SECRET in value
        case list():
            return any(holds_secret(v) for v in value)
        case dict():
            return any(holds_secret(v) for v in value.values())
    return False


def shown(value: JsonValue) -> str:
    """A value as a sentence can hold it."""
    if isinstance(value, dict) and TOKEN in value:
        family = str(value[TOKEN]).removeprefix("task-definition ")
        return "(known after the apply)" if value == UNKNOWN else f"a revision of {family}"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
