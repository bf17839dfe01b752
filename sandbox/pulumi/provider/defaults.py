"""The provider's defaults, and the note it keeps of them among a resource's inputs.

The real provider writes `__defaults`, the names it filled in, into the inputs and into each nested
block; whoever reads previews and states must live with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOTE = "__defaults"
MAPS = frozenset({"tags"})  # keys of the program's own, not blocks of a schema


def filled(inputs: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with what the program left out, and the note of it."""
    missing = sorted(name for name in defaults if name not in inputs)
    noted = {key: value if key in MAPS else _noted(value) for key, value in inputs.items()}
    return noted | {name: defaults[name] for name in missing} | {NOTE: missing}


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """The values without the notes, as the service and the outputs have them."""
    return {key: _plain(value) for key, value in values.items() if key != NOTE}


def _noted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _noted(item) for key, item in value.items()} | {NOTE: []}
    return [_noted(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return plain(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value
