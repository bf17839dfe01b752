"""What both tables share: attribute values, times, and the sparse index `sweep`.

The index holds only items with the attributes `sweep` (what they wait for) and `since`; an item
leaves it when the two are removed, so the sweep reads nothing that is settled.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "sweep"
FAILED = "ConditionalCheckFailedException"
CANCELLED = "TransactionCanceledException"

Attributes = dict[str, Any]


def key(kind: str, what: str) -> Attributes:
    """The primary key of one item."""
    return text(pk=f"{kind}#{what}")


def name(item: Attributes) -> str:
    """What follows the kind in an item's key."""
    return str(item["pk"]["S"]).partition("#")[2]


def text(**values: str) -> Attributes:
    """String attributes."""
    return {name: {"S": value} for name, value in values.items()}


def number(**values: int) -> Attributes:
    """Number attributes."""
    return {name: {"N": str(value)} for name, value in values.items()}


def epoch(moment: datetime) -> int:
    """A moment as TTL attributes want it."""
    return int(moment.timestamp())


def stamp(moment: datetime) -> str:
    """A moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def waiting(kind: str, now: datetime) -> Attributes:
    """The attributes that put an item into the index."""
    return text(sweep=kind, since=stamp(now))


def since(client: DynamoDBClient, table: str, kind: str, before: datetime) -> list[Attributes]:
    """Items of the index that have waited since before then, oldest first."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        IndexName=INDEX,
        KeyConditionExpression="sweep = :kind AND since < :before",
        ExpressionAttributeValues=text(**{":kind": kind, ":before": stamp(before)}),
    )
    return [dict(item) for page in pages for item in page["Items"]]


def cancelled_by(error: Any) -> list[str]:
    """Why each operation of a refused transaction was refused, `None` for the innocent ones."""
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
