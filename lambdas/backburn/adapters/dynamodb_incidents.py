"""The incidents table: deliveries and incidents; who holds what is dynamodb_holds.py's.

Keys: `delivery#<id>`, `incident#<id>`, `unknown#<slo>`. Notes are a map, so that one line is
written once however often its state runs.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backburn.incident import Incident, Note, Status

from .dynamodb import Attributes, Table, awaits, epoch, key, name, number, stamp, text
from .dynamodb_holds import Holds, hold

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DELIVERIES_KEPT = timedelta(days=30)
INCIDENTS_KEPT = timedelta(days=400)
TOLD_AGAIN = timedelta(hours=1)
UNTOLD = "attribute_not_exists(pk) OR expires <= :now OR delivery = :delivery"
OPEN_TRIES = 5
STATUS = {"#status": "status"}  # a reserved word


class DynamoIncidents:
    """The incidents table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)
        self._holds = Holds(self._table)

    def record_delivery(self, delivery: str, body: str, now: datetime) -> bool:
        item = {
            **key("delivery", delivery),
            **text(body=body),
            **awaits("delivery", now),
            **number(expires=epoch(now + DELIVERIES_KEPT)),
        }
        return self._table.put(item, "attribute_not_exists(pk)")

    def settle_delivery(self, delivery: str, outcome: str) -> None:
        change = "SET outcome = :outcome REMOVE sweep, since"
        self._table.update("delivery", delivery, change, text(**{":outcome": outcome}))

    def unsettled_deliveries(self, before: datetime) -> list[tuple[str, str]]:
        waiting = self._table.waiting("delivery", before)
        return [(name(item), item["body"]["S"]) for item in waiting]

    def first_of_hour(self, slo: str, delivery: str, now: datetime) -> bool:
        # TTL deletes hours late, so what has expired is told by the condition.
        item = {
            **key("unknown", slo),
            **text(delivery=delivery),
            **number(expires=epoch(now + TOLD_AGAIN)),
        }
        values = text(**{":delivery": delivery}) | number(**{":now": epoch(now)})
        return self._table.put(item, UNTOLD, values)

    def open(self, incident: Incident) -> Incident:
        # The SLO is taken and the incident recorded in one transaction: between two calls,
        # a second alert would find a holder that is not on record.
        record = self._table.a_put(_record(incident), "attribute_not_exists(pk)")
        free = incident.id
        for _ in range(OPEN_TRIES):
            slo = self._table.a_put(**hold("slo", incident.slo, incident.id, free))
            if not self._table.transact(("Put", record), ("Put", slo)):
                return incident
            if earlier := self._table.get("incident", incident.id):
                return _incident(earlier)
            holder = self._holds.holder("slo", incident.slo)
            if holder is not None and self._holds.in_hand(holder):
                return self.get(holder)
            free = holder or incident.id
        raise TimeoutError(f"{incident.slo}: alerts keep racing for it; the sweep tries again")

    def get(self, incident: str) -> Incident:
        return _incident(_known(incident, self._table.get("incident", incident)))

    def recent(self, limit: int = 50) -> list[Incident]:
        found = map(_incident, self._table.all("incident"))
        return sorted(found, key=lambda incident: incident.opened, reverse=True)[:limit]

    def note(self, incident: str, now: datetime, state: str, text: str) -> None:
        note = Note(at=now, state=state, text=text)
        line = hashlib.sha256(f"{state}/{text}".encode()).hexdigest()[:16]
        self._update(
            incident,
            "SET notes.#line = if_not_exists(notes.#line, :note)",
            {":note": {"S": note.model_dump_json()}},
            {"#line": line},
        )

    def set_status(self, incident: str, status: Status, reason: str, now: datetime) -> None:
        values = text(**{":status": status.value, ":reason": reason})
        change = "SET #status = :status, reason = :reason"
        if status is Status.AWAITING_OK:
            values |= {f":{name}": value for name, value in awaits(status.value, now).items()}
            change += ", sweep = :sweep, since = :since"
        else:
            change += " REMOVE sweep, since"
        item = self._update(incident, change, values, STATUS)
        if not status.holds:
            self._holds.release("slo", item["slo"]["S"], incident)
            if "stack" in item:
                self._holds.release("stack", item["stack"]["S"], incident)

    def awaiting_ok(self, before: datetime) -> list[str]:
        return [name(item) for item in self._table.waiting(Status.AWAITING_OK.value, before)]

    def next_attempt(self, incident: str) -> int:
        holder = self._holds.take("slo", self.get(incident).slo, incident)
        if holder != incident:
            raise LookupError(holder)
        change = "SET #status = :open, reason = :none REMOVE sweep, since ADD attempt :one"
        values = {**text(**{":open": Status.OPEN.value, ":none": ""}), **number(**{":one": 1})}
        return int(self._update(incident, change, values, STATUS)["attempt"]["N"])

    def claim_stack(self, stack: str, incident: str) -> str:
        holder = self._holds.take("stack", stack, incident)
        if holder == incident:
            self._update(incident, "SET stack = :stack", text(**{":stack": stack}))
        return holder

    def count_change(self, workload: str, day: str, limit: int, incident: str) -> bool:
        return self._holds.count(workload, day, limit, incident)

    def _update(
        self,
        incident: str,
        change: str,
        values: Attributes,
        names: dict[str, str] | None = None,
    ) -> Attributes:
        return _known(incident, self._table.update("incident", incident, change, values, names))


def _known(incident: str, item: Attributes) -> Attributes:
    if not item:
        raise KeyError(f"no incident {incident} is on record")
    return item


def _record(incident: Incident) -> Attributes:
    return {
        **key("incident", incident.id),
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
        id=name(item),
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
