"""The incidents table: deliveries, incidents, and who holds an SLO, a stack or the day's changes.

Keys: `delivery#<id>`, `incident#<id>`, `slo#<id>`, `stack#<stack>`, `changes#<workload>#<day>`.
The sparse index `sweep` holds only what the sweep must look at again.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from backburn.incident import Incident, Note, Status

from .aws import code
from .dynamodb import CANCELLED, FAILED, Attributes, epoch, number, since, stamp, text, waiting
from .dynamodb import key as _key
from .dynamodb import name as _name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DELIVERIES_KEPT = timedelta(days=30)
INCIDENTS_KEPT = timedelta(days=400)
UNLESS_HELD = "attribute_not_exists(pk) OR incident = :free"
OPEN_TRIES = 5


class DynamoIncidents:
    """The incidents table. Whoever holds something and is closed, holds it no more."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def record_delivery(self, delivery: str, body: str, now: datetime) -> bool:
        item = {
            **_key("delivery", delivery),
            **text(body=body),
            **waiting("delivery", now),
            **number(expires=epoch(now + DELIVERIES_KEPT)),
        }
        return self._put(item, "attribute_not_exists(pk)", {})

    def settle_delivery(self, delivery: str, outcome: str) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=_key("delivery", delivery),
            UpdateExpression="SET outcome = :outcome REMOVE sweep, since",
            ExpressionAttributeValues=text(**{":outcome": outcome}),
        )

    def unsettled_deliveries(self, before: datetime) -> list[tuple[str, str]]:
        items = since(self._client, self._table, "delivery", before)
        return [(_name(item), item["body"]["S"]) for item in items]

    def open(self, incident: Incident) -> Incident:
        # The SLO is taken and the incident recorded in one transaction: between two calls,
        # a second alert would find a holder that is not on record.
        free = incident.id
        for _ in range(OPEN_TRIES):
            if self._opened(incident, free):
                return incident
            if earlier := self._item("incident", incident.id):
                return _incident(earlier)
            holder = self._holder("slo", incident.slo)
            if holder is not None and self._holds(holder):
                return self.get(holder)
            free = holder or incident.id
        raise TimeoutError(f"{incident.slo}: alerts keep racing for it; the sweep tries again")

    def get(self, incident: str) -> Incident:
        item = self._item("incident", incident)
        if not item:
            raise KeyError(f"no incident {incident} is on record")
        return _incident(item)

    def recent(self, limit: int = 50) -> list[Incident]:
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="begins_with(pk, :kind)",
            ExpressionAttributeValues=text(**{":kind": "incident#"}),
        )
        found = [_incident(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda incident: incident.opened, reverse=True)[:limit]

    def note(self, incident: str, now: datetime, state: str, text: str) -> None:
        note = Note(at=now, state=state, text=text)
        self._update(
            incident,
            "SET notes.#key = if_not_exists(notes.#key, :note)",
            {":note": {"S": note.model_dump_json()}},
            {"#key": hashlib.sha256(f"{state}/{text}".encode()).hexdigest()[:16]},
        )

    def set_status(self, incident: str, status: Status, reason: str, now: datetime) -> None:
        values = text(**{":status": status.value, ":reason": reason})
        change = "SET #status = :status, reason = :reason"
        if status is Status.AWAITING_OK:
            values |= {f":{key}": value for key, value in waiting(status.value, now).items()}
            change += ", sweep = :sweep, since = :since"
        else:
            change += " REMOVE sweep, since"
        item = self._update(incident, change, values, {"#status": "status"})
        if not status.holds:
            self._release("slo", item["slo"]["S"], incident)
            if "stack" in item:
                self._release("stack", item["stack"]["S"], incident)

    def awaiting_ok(self, before: datetime) -> list[str]:
        items = since(self._client, self._table, Status.AWAITING_OK.value, before)
        return [_name(item) for item in items]

    def next_attempt(self, incident: str) -> int:
        holder = self._take("slo", self.get(incident).slo, incident)
        if holder != incident:
            raise LookupError(holder)
        item = self._update(
            incident,
            "SET #status = :open, reason = :none REMOVE sweep, since ADD attempt :one",
            {**text(**{":open": Status.OPEN.value, ":none": ""}), **number(**{":one": 1})},
            {"#status": "status"},
        )
        return int(item["attempt"]["N"])

    def claim_stack(self, stack: str, incident: str) -> str:
        holder = self._take("stack", stack, incident)
        if holder == incident:
            self._update(incident, "SET stack = :stack", text(**{":stack": stack}), {})
        return holder

    def count_change(self, workload: str, day: str, limit: int, incident: str) -> bool:
        if limit <= 0:
            return False
        room = "attribute_not_exists(pk) OR contains(who, :one) OR size(who) < :limit"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key("changes", f"{workload}#{day}"),
                UpdateExpression="ADD who :me SET expires = if_not_exists(expires, :expires)",
                ConditionExpression=room,
                ExpressionAttributeValues={
                    ":me": {"SS": [incident]},
                    **text(**{":one": incident}),
                    **number(**{":limit": limit, ":expires": _end_of(day)}),
                },
            )
        except ClientError as error:
            if code(error) == FAILED:
                return False
            raise
        return True

    def changes(self, workload: str, day: str) -> int:
        item = self._item("changes", f"{workload}#{day}")
        return len(item["who"]["SS"]) if item else 0

    def _opened(self, incident: Incident, free: str) -> bool:
        """Whether the incident was recorded and holds its SLO now."""
        slo = {**_key("slo", incident.slo), **text(incident=incident.id)}
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {"Put": self._new(_record(incident), "attribute_not_exists(pk)", {})},
                    {"Put": self._new(slo, UNLESS_HELD, text(**{":free": free}))},
                ]
            )
        except ClientError as error:
            if code(error) == CANCELLED:
                return False
            raise
        return True

    def _take(self, kind: str, what: str, incident: str) -> str:
        """Hold `what` for an incident on record; the incident that holds it afterwards."""
        mine = {**_key(kind, what), **text(incident=incident)}
        if self._put(mine, UNLESS_HELD, text(**{":free": incident})):
            return incident
        holder = self._holder(kind, what) or incident
        if holder == incident or self._holds(holder):
            return holder
        return incident if self._put(mine, UNLESS_HELD, text(**{":free": holder})) else holder

    def _holder(self, kind: str, what: str) -> str | None:
        item = self._item(kind, what)
        return str(item["incident"]["S"]) if item else None

    def _holds(self, incident: str) -> bool:
        """Whether an incident is not closed yet; a forgotten one holds nothing."""
        item = self._item("incident", incident)
        return bool(item) and Status(item["status"]["S"]).holds

    def _release(self, kind: str, what: str, incident: str) -> None:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=_key(kind, what),
                ConditionExpression="incident = :me",
                ExpressionAttributeValues=text(**{":me": incident}),
            )
        except ClientError as error:
            if code(error) != FAILED:
                raise

    def _item(self, kind: str, what: str) -> dict[str, Any]:
        answer = self._client.get_item(
            TableName=self._table, Key=_key(kind, what), ConsistentRead=True
        )
        return dict(answer.get("Item", {}))

    def _new(self, item: Attributes, condition: str, values: Attributes) -> Any:
        put = {"TableName": self._table, "Item": item, "ConditionExpression": condition}
        return put | ({"ExpressionAttributeValues": values} if values else {})

    def _put(self, item: Attributes, condition: str, values: Attributes) -> bool:
        try:
            self._client.put_item(**self._new(item, condition, values))
        except ClientError as error:
            if code(error) == FAILED:
                return False
            raise
        return True

    def _update(
        self, incident: str, change: str, values: dict[str, Any], names: dict[str, str]
    ) -> dict[str, Any]:
        arguments: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key("incident", incident),
                UpdateExpression=change,
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                **arguments,
            )
        except ClientError as error:
            if code(error) == FAILED:
                raise KeyError(f"no incident {incident} is on record") from error
            raise
        return dict(answer["Attributes"])


def _record(incident: Incident) -> Attributes:
    return {
        **_key("incident", incident.id),
        **text(
            workload=incident.workload,
            slo=incident.slo,
            alert=incident.alert,
            summary=incident.summary,
            opened=stamp(incident.opened),
            status=incident.status.value,
            reason=incident.reason,
        ),
        **number(
            attempt=incident.attempt,
            expires=epoch(incident.opened + INCIDENTS_KEPT),
        ),
        "notes": {"M": {}},
    }


def _incident(item: Attributes) -> Incident:
    notes = (Note.model_validate_json(note["S"]) for note in item["notes"]["M"].values())
    return Incident(
        id=_name(item),
        workload=item["workload"]["S"],
        slo=item["slo"]["S"],
        alert=item["alert"]["S"],
        summary=item["summary"]["S"],
        opened=datetime.fromisoformat(item["opened"]["S"]),
        attempt=int(item["attempt"]["N"]),
        status=Status(item["status"]["S"]),
        reason=item["reason"]["S"],
        notes=tuple(sorted(notes, key=lambda note: note.at)),
    )


def _end_of(day: str) -> int:
    return epoch(datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(days=2))
