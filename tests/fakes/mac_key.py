"""A MAC key that never leaves the test."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

import hashlib
import hmac


class FakeMacKey:
    """HMAC-SHA-256, as KMS computes it."""

    def __init__(self, secret: bytes = b"a key of a test") -> None:
        self._secret = secret

    def generate(self, message: bytes) -> bytes:
        return hmac.digest(self._secret, message, hashlib.sha256)

    def verify(self, message: bytes, mac: bytes) -> bool:
        return hmac.compare_digest(self.generate(message), mac)
