"""The artifacts bucket in memory."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

import hashlib


class FakeArtifacts:
    """Objects by key."""

    def __init__(self, **objects: bytes) -> None:
        self.objects: dict[str, bytes] = dict(objects)

    def read(self, key: str) -> bytes:
        return self.objects[key]

    def write(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    def version(self, key: str) -> str | None:
        data = self.objects.get(key)
        return None if data is None else hashlib.sha256(data).hexdigest()

    def replace(self, key: str, data: bytes, version: str) -> bool:
        if self.version(key) != version:
            return False
        self.objects[key] = data
        return True
