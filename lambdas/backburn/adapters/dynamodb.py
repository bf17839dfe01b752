"""A table of ours: items by kind and name, conditional writes, and the sparse index `sweep`.

The index holds only items with the attributes `sweep` (what they wait for) and `since`; an item
leaves it when the two are removed, so the sweep reads nothing that is settled.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from .aws import code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "sweep"
FAILED = "ConditionalCheckFailedException"
CANCELLED = "TransactionCanceledException"

Attributes = dict[str, Any]


class Table:
    """One table; a write whose condition does not hold is an answer and no error."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, kind: str, what: str) -> Attributes:
        """The item as it is now; empty if there is none."""
        answer = self._client.get_item(
            TableName=self._name, Key=key(kind, what), ConsistentRead=True
        )
        return dict(answer.get("Item", {}))

    def put(self, item: Attributes, condition: str = "", values: Attributes | None = None) -> bool:
        """Write an item; False if the condition does not hold."""
        arguments: Any = self.a_put(item, condition, values)
        return self._held(lambda: self._client.put_item(**arguments)) is not None

    def a_put(
        self, item: Attributes, condition: str = "", values: Attributes | None = None
    ) -> Attributes:
        """A put as a transaction takes it."""
        return {"TableName": self._name, "Item": item, **_condition(condition, values)}

    def update(
        self,
        kind: str,
        what: str,
        change: str,
        values: Attributes | None = None,
        names: dict[str, str] | None = None,
        condition: str = "attribute_exists(pk)",
    ) -> Attributes:
        """Change an item; it as it is afterwards, empty if the condition does not hold."""
        arguments: Any = {"UpdateExpression": change, **_condition(condition, values)}
        if names:
            arguments["ExpressionAttributeNames"] = names
        answer = self._held(
            lambda: self._client.update_item(
                TableName=self._name, Key=key(kind, what), ReturnValues="ALL_NEW", **arguments
            )
        )
        return dict(answer["Attributes"]) if answer else {}

    def delete(self, kind: str, what: str, condition: str, values: Attributes) -> None:
        """Delete an item if the condition holds."""
        arguments: Any = self.a_delete(kind, what) | _condition(condition, values)
        self._held(lambda: self._client.delete_item(**arguments))

    def a_delete(self, kind: str, what: str) -> Attributes:
        """A delete as a transaction takes it."""
        return {"TableName": self._name, "Key": key(kind, what)}

    def a_check(self, kind: str, what: str, condition: str, values: Attributes) -> Attributes:
        """A condition on an item as a transaction takes it."""
        return self.a_delete(kind, what) | _condition(condition, values)

    def transact(self, *operations: tuple[str, Attributes]) -> list[str]:
        """Do all or none; no reasons if done, else one for each operation (`None`: innocent)."""
        items: Any = [{verb: operation} for verb, operation in operations]
        try:
            self._client.transact_write_items(TransactItems=items)
        except ClientError as error:
            if code(error) != CANCELLED:
                raise
            told: Any = error.response
            return [str(reason.get("Code")) for reason in told.get("CancellationReasons", [])]
        return []

    def waiting(self, kind: str, before: datetime) -> Iterator[Attributes]:
        """Items of the index that have waited since before then, oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            IndexName=INDEX,
            KeyConditionExpression="sweep = :kind AND since < :before",
            ExpressionAttributeValues=text(**{":kind": kind, ":before": stamp(before)}),
        )
        return (dict(item) for page in pages for item in page["Items"])

    def all(self, kind: str) -> Iterator[Attributes]:
        """Every item of a kind, by reading the whole table: for the operator's desk only."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._name,
            FilterExpression="begins_with(pk, :kind)",
            ExpressionAttributeValues=text(**{":kind": f"{kind}#"}),
        )
        return (dict(item) for page in pages for item in page["Items"])

    def _held(self, write: Any) -> Any:
        try:
            return write()
        except ClientError as error:
            if code(error) == FAILED:
                return None
            raise


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


def awaits(kind: str, now: datetime) -> Attributes:
    """The attributes that put an item into the index."""
    return text(sweep=kind, since=stamp(now))


def _condition(condition: str, values: Attributes | None) -> Attributes:
    arguments: Attributes = {"ConditionExpression": condition} if condition else {}
    return arguments | ({"ExpressionAttributeValues": values} if values else {})
