"""Secrets as Secrets Manager keeps them, read once per process and again after a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

FRESH_SECONDS = 300  # how long a rotated secret may still be the old one


class SecretsManager:
    """Secret strings by name or ARN."""

    def __init__(self, client: SecretsManagerClient) -> None:
        self._client = client
        self._read: dict[str, tuple[float, str]] = {}

    def text(self, secret: str) -> str:
        """The secret's string, at most FRESH_SECONDS old."""
        at, value = self._read.get(secret, (0.0, ""))
        if not at or time.monotonic() - at > FRESH_SECONDS:
            value = self._client.get_secret_value(SecretId=secret)["SecretString"]
            self._read[secret] = (time.monotonic(), value)
        return value
