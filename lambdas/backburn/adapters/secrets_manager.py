"""Secrets as Secrets Manager keeps them, read once per process and again after a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from .aws import code

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

FRESH_SECONDS = 300  # how long a rotated secret may still be the old one
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


class SecretsManager:
    """Secret strings by name or ARN."""

    def __init__(
        self, client: SecretsManagerClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        self._read: dict[tuple[str, str], tuple[float, str | None]] = {}

    def text(self, secret: str) -> str:
        """The secret's string, at most FRESH_SECONDS old."""
        value = self._fresh(secret, CURRENT)
        if value is None:
            raise KeyError(f"there is no secret {secret}, or it has no value")
        return value

    def previous(self, secret: str) -> str | None:
        """The string before the last rotation, as old; None if there was none."""
        return self._fresh(secret, PREVIOUS)

    def _fresh(self, secret: str, stage: str) -> str | None:
        # What is not there is remembered too: a stranger's wrong tokens must not ask each time.
        at, value = self._read.get((secret, stage), (float("-inf"), None))
        if self._clock() - at > FRESH_SECONDS:
            value = self._ask(secret, stage)
            self._read[secret, stage] = (self._clock(), value)
        return value

    def _ask(self, secret: str, stage: str) -> str | None:
        try:
            answer = self._client.get_secret_value(SecretId=secret, VersionStage=stage)
        except ClientError as error:
            if code(error) != "ResourceNotFoundException":
                raise
            return None
        return answer["SecretString"]
