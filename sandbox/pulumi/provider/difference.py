"""What differs between two sets of inputs, path by path, as the engine shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .defaults import plain

Inputs = dict[str, Any]


def canonical(inputs: Inputs, documents: frozenset[str], unordered: frozenset[str]) -> Inputs:
    """A copy to compare by: JSON documents parsed, the lists that are sets in a fixed order."""
    return {
        key: _document(value) if key in documents else _ordered(key, value, unordered)
        for key, value in plain(inputs).items()
    }


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each leaf that differs, with ADD, DELETE or UPDATE; paths like `subnets[0]`, `tags.app`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from differences(
                old[index] if index < len(old) else None,
                new[index] if index < len(new) else None,
                f"{path}[{index}]",
            )
    elif old != new:
        yield path, "ADD" if old is None else "DELETE" if new is None else "UPDATE"


def top(path: str) -> str:
    """The property a path lies in."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _document(value: Any) -> Any:
    try:
        return json.dumps(json.loads(value), sort_keys=True)
    except (TypeError, ValueError):
        return value


def _ordered(path: str, value: Any, unordered: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(f"{path}.{key}", item, unordered) for key, item in value.items()}
    if isinstance(value, list):
        items = [_ordered(f"{path}[]", item, unordered) for item in value]
        if path in unordered:
            items.sort(key=lambda item: json.dumps(item, sort_keys=True))
        return items
    return value
