"""In whose name a part of the server calls the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import boto3


@dataclass(frozen=True)
class Caller:
    """In whose account and region a build runs."""

    endpoint: str
    account: str  # ministack takes a 12-digit access key for the account
    region: str

    def client(self, service: str) -> Any:
        """A client of this server."""
        return boto3.client(
            cast("Any", service),
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.account,
            aws_secret_access_key="test",
        )
