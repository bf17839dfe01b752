"""The incidents table in memory."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

from datetime import datetime, timedelta

from backburn.incident import Incident, Note, Status


class FakeIncidents:
    """Dictionaries with the table's manners."""

    def __init__(self) -> None:
        self.records: dict[str, Incident] = {}
        self.outcomes: dict[str, str] = {}
        self._deliveries: dict[str, tuple[str, datetime]] = {}
        self._holders: dict[str, str] = {}
        self._claimed: dict[str, str] = {}
        self._changes: dict[tuple[str, str], set[str]] = {}
        self._awaiting: dict[str, datetime] = {}
        self._told: dict[str, tuple[str, datetime]] = {}

    def record_delivery(self, delivery: str, body: str, now: datetime) -> bool:
        if delivery in self._deliveries:
            return False
        self._deliveries[delivery] = (body, now)
        return True

    def settle_delivery(self, delivery: str, outcome: str) -> None:
        self.outcomes[delivery] = outcome

    def unsettled_deliveries(self, before: datetime) -> list[tuple[str, str]]:
        return [
            (delivery, body)
            for delivery, (body, at) in self._deliveries.items()
            if delivery not in self.outcomes and at < before
        ]

    def first_of_hour(self, slo: str, delivery: str, now: datetime) -> bool:
        told, at = self._told.get(slo, (delivery, now))
        if told != delivery and now < at + timedelta(hours=1):
            return False
        self._told[slo] = (delivery, now)
        return True

    def open(self, incident: Incident) -> Incident:
        if incident.id in self.records:
            return self.records[incident.id]
        holder = self._take(f"slo#{incident.slo}", incident.id)
        if holder != incident.id:
            return self.records[holder]
        self.records[incident.id] = incident
        return incident

    def get(self, incident: str) -> Incident:
        return self.records[incident]

    def recent(self, limit: int = 50) -> list[Incident]:
        return sorted(self.records.values(), key=lambda i: i.opened, reverse=True)[:limit]

    def note(self, incident: str, now: datetime, state: str, text: str) -> None:
        notes = self.records[incident].notes
        if (state, text) not in {(note.state, note.text) for note in notes}:
            self._change(incident, notes=(*notes, Note(at=now, state=state, text=text)))

    def set_status(self, incident: str, status: Status, reason: str, now: datetime) -> None:
        self._change(incident, status=status, reason=reason)
        self._awaiting.pop(incident, None)
        if status is Status.AWAITING_OK:
            self._awaiting[incident] = now
        if not status.holds:
            self._release(f"slo#{self.records[incident].slo}", incident)
            self._release(self._claimed.get(incident, ""), incident)

    def awaiting_ok(self, before: datetime) -> list[str]:
        return [incident for incident, since in self._awaiting.items() if since < before]

    def next_attempt(self, incident: str) -> int:
        found = self.records[incident]
        holder = self._take(f"slo#{found.slo}", incident)
        if holder != incident:
            raise LookupError(holder)
        self._awaiting.pop(incident, None)
        self._change(incident, status=Status.OPEN, reason="", attempt=found.attempt + 1)
        return found.attempt + 1

    def claim_stack(self, stack: str, incident: str) -> str:
        holder = self._take(f"stack#{stack}", incident)
        if holder == incident:
            self._claimed[incident] = f"stack#{stack}"
        return holder

    def count_change(self, workload: str, day: str, limit: int, incident: str) -> bool:
        counted = self._changes.setdefault((workload, day), set())
        if limit <= 0 or (incident not in counted and len(counted) >= limit):
            return False
        counted.add(incident)
        return True

    def changes(self, workload: str, day: str) -> int:
        """How many changes were counted on that day."""
        return len(self._changes.get((workload, day), ()))

    def _take(self, what: str, incident: str) -> str:
        holder = self._holders.get(what)
        held = self.records.get(holder or "")
        if holder is None or held is None or not held.status.holds:
            self._holders[what] = incident
        return self._holders[what]

    def _release(self, what: str, incident: str) -> None:
        if self._holders.get(what) == incident:
            del self._holders[what]

    def _change(self, incident: str, **update: object) -> None:
        self.records[incident] = self.records[incident].model_copy(update=update)
