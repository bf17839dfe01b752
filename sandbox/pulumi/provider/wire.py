"""Values as the engine sends them, and as the resources work with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

# sdk/go/common/resource/plugin: how an unknown string travels; it is unknown until an apply.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The plain dictionary of a message, whole numbers as int."""
    return {key: _whole(value) for key, value in MessageToDict(struct).items()}


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """The message of a plain dictionary; None is left out."""
    struct = struct_pb2.Struct()
    struct.update({key: value for key, value in values.items() if value is not None})
    return struct


def _whole(value: Any) -> Any:
    """Protobuf knows doubles only."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
