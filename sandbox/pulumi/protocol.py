"""The engine's gRPC messages and services, without the Pulumi SDK around them.

Importing `pulumi.runtime.proto` runs `pulumi/__init__.py`, the whole SDK: 0.35 s, and each CLI
call starts four of our plugins. With empty parents in its place only the messages are loaded.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType


def _empty_parents() -> None:
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the Pulumi SDK is not installed in " + sys.prefix)
    (folder,) = spec.submodule_search_locations
    for name, path in (("pulumi", folder), ("pulumi.runtime", f"{folder}/runtime")):
        if name not in sys.modules:
            parent = ModuleType(name)
            parent.__path__ = [path]
            sys.modules[name] = parent


_empty_parents()

from pulumi.runtime.proto import (  # noqa: E402
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

__all__ = [
    "language_pb2",
    "language_pb2_grpc",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
]
