"""What every AWS adapter shares: the error code a refused call carries."""

from __future__ import annotations

from botocore.exceptions import ClientError


def code(error: ClientError) -> str:
    """AWS's name of what went wrong, e.g. `ConditionalCheckFailedException`."""
    return str(error.response.get("Error", {}).get("Code", ""))
