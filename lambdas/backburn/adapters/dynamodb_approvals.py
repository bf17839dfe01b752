"""The approvals table: links, the request that waits, and the one decision.

Keys: `link#<sha256 of the link>`, `request#<execution>`, `decision#<execution>`. The deploy job
may read the last kind only: the task token is in the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from backburn.decision import Decision, Link, Request

from .aws import code
from .dynamodb import (
    CANCELLED,
    FAILED,
    Attributes,
    cancelled_by,
    epoch,
    key,
    name,
    number,
    since,
    text,
    waiting,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DECIDE_TRIES = 3  # two clicks at the very same moment cancel each other
KEPT = timedelta(days=30)  # after the expiry, so that an old link still says what became of it


class DynamoApprovals:
    """The approvals table; whatever must not happen twice is a conditional write."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def ask(self, request: Request, links: Sequence[Link], now: datetime) -> None:
        kept = number(expires=epoch(max(request.expiry, now) + KEPT))
        asked = {
            **key("request", request.execution),
            **text(request=request.model_dump_json(), generation=request.generation),
            **kept,
        }
        forget = {"TableName": self._table, "Key": key("decision", request.execution)}
        items: list[Any] = [{"Put": self._put(asked)}, {"Delete": forget}]
        for link in links:
            stored = text(link=link.model_dump_json(exclude={"tries"}))
            item = {**key("link", link.link), **stored, **number(tries=0), **kept}
            items.append({"Put": self._put(item)})
        self._client.transact_write_items(TransactItems=items)

    def request(self, execution: str) -> Request:
        item = self._item("request", execution)
        return Request.model_validate_json(item["request"]["S"])

    def link(self, link: str) -> Link:
        item = self._item("link", link)
        stored = Link.model_validate_json(item["link"]["S"])
        return stored.model_copy(update={"tries": int(item["tries"]["N"])})

    def spend_try(self, link: str, limit: int) -> int:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=key("link", link),
                UpdateExpression="ADD tries :one",
                ConditionExpression="attribute_exists(pk) AND tries < :limit",
                ExpressionAttributeValues=number(**{":one": 1, ":limit": limit}),
                ReturnValues="UPDATED_NEW",
            )
        except ClientError as error:
            if code(error) == FAILED:
                return 0
            raise
        return int(answer["Attributes"]["tries"]["N"])

    def decide(self, execution: str, generation: str, decision: Decision) -> Decision:
        item = {
            **key("decision", execution),
            **text(decision=decision.model_dump_json()),
            **waiting("decision", decision.at),
            **number(expires=epoch(decision.expiry + KEPT)),
        }
        still: Any = {
            "TableName": self._table,
            "Key": key("request", execution),
            "ConditionExpression": "generation = :generation",
            "ExpressionAttributeValues": text(**{":generation": generation}),
        }
        first: Any = self._put(item) | {"ConditionExpression": "attribute_not_exists(pk)"}
        for _ in range(DECIDE_TRIES):
            try:
                self._client.transact_write_items(
                    TransactItems=[{"ConditionCheck": still}, {"Put": first}]
                )
            except ClientError as error:
                if code(error) != CANCELLED:
                    raise
                if (standing := self.decision(execution)) is not None:
                    return standing
                if cancelled_by(error)[0] == "ConditionalCheckFailed":
                    raise LookupError(f"{execution}: a newer mail has replaced it") from error
            else:
                return decision
        raise TimeoutError(f"{execution}: decisions keep racing; nothing was written")

    def decision(self, execution: str) -> Decision | None:
        try:
            item = self._item("decision", execution)
        except KeyError:
            return None
        return Decision.model_validate_json(item["decision"]["S"])

    def delivered(self, execution: str) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=key("decision", execution),
            UpdateExpression="REMOVE sweep, since",
            ConditionExpression="attribute_exists(pk)",
        )

    def undelivered(self, before: datetime) -> list[str]:
        return [name(item) for item in since(self._client, self._table, "decision", before)]

    def _put(self, item: Attributes) -> dict[str, Any]:
        return {"TableName": self._table, "Item": item}

    def _item(self, kind: str, what: str) -> Attributes:
        answer = self._client.get_item(
            TableName=self._table, Key=key(kind, what), ConsistentRead=True
        )
        if "Item" not in answer:
            raise KeyError(f"no {kind} {what}")
        return dict(answer["Item"])
