"""The approvals table: links, the request that waits, and the one decision.

Keys: `link#<sha256 of the link>`, `request#<execution>`, `decision#<execution>`. The deploy job
may read the last kind only: the task token is in the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backburn.decision import Decision, Link, Request

from .dynamodb import Attributes, Table, awaits, epoch, key, name, number, text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=30)  # after the expiry, so that an old link still says what became of it
DECIDE_TRIES = 3  # two clicks at the very same moment cancel each other


class DynamoApprovals:
    """The approvals table; whatever must not happen twice is a conditional write."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def ask(self, request: Request, links: Sequence[Link], now: datetime) -> None:
        kept = number(expires=epoch(max(request.expiry, now) + KEPT))
        asked = {
            **key("request", request.execution),
            **text(request=request.model_dump_json(), generation=request.generation),
            **kept,
        }
        refused = self._table.transact(
            ("Put", self._table.a_put(asked)),
            ("Delete", self._table.a_delete("decision", request.execution)),
            *(("Put", self._table.a_put({**_link(link), **kept})) for link in links),
        )
        if refused:
            raise TimeoutError(f"{request.execution}: somebody else writes its approval: {refused}")

    def request(self, execution: str) -> Request:
        return Request.model_validate_json(self._item("request", execution)["request"]["S"])

    def link(self, link: str) -> Link:
        item = self._item("link", link)
        stored = Link.model_validate_json(item["link"]["S"])
        return stored.model_copy(update={"tries": int(item["tries"]["N"])})

    def spend_try(self, link: str, limit: int) -> int:
        values = number(**{":one": 1, ":limit": limit})
        left = "attribute_exists(pk) AND tries < :limit"
        spent = self._table.update("link", link, "ADD tries :one", values, condition=left)
        return int(spent["tries"]["N"]) if spent else 0

    def decide(self, execution: str, generation: str, decision: Decision) -> Decision:
        item = {
            **key("decision", execution),
            **text(decision=decision.model_dump_json()),
            **awaits("decision", decision.at),
            **number(expires=epoch(decision.expiry + KEPT)),
        }
        newest = text(**{":generation": generation})
        still = self._table.a_check("request", execution, "generation = :generation", newest)
        first = self._table.a_put(item, "attribute_not_exists(pk)")
        for _ in range(DECIDE_TRIES):
            refused = self._table.transact(("ConditionCheck", still), ("Put", first))
            if not refused:
                return decision
            if (standing := self.decision(execution)) is not None:
                return standing
            if refused[0] == "ConditionalCheckFailed":
                raise LookupError(f"{execution}: a newer mail has replaced this link")
        raise TimeoutError(f"{execution}: decisions keep racing; nothing was written")

    def decision(self, execution: str) -> Decision | None:
        item = self._table.get("decision", execution)
        return Decision.model_validate_json(item["decision"]["S"]) if item else None

    def delivered(self, execution: str) -> None:
        self._table.update("decision", execution, "REMOVE sweep, since")

    def undelivered(self, before: datetime) -> list[str]:
        return [name(item) for item in self._table.waiting("decision", before)]

    def _item(self, kind: str, what: str) -> Attributes:
        item = self._table.get(kind, what)
        if not item:
            raise KeyError(f"no {kind} {what}")
        return item


def _link(link: Link) -> Attributes:
    stored = link.model_dump_json(exclude={"tries"})
    return {**key("link", link.link), **text(link=stored), **number(tries=0)}
