"""Who holds what: an SLO, a Pulumi stack, one of the day's changes.

Whoever is closed holds nothing, even if its hold was not released: the next one takes it over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from backburn.incident import Status

from .dynamodb import Attributes, Table, epoch, key, number, text

UNLESS_HELD = "attribute_not_exists(pk) OR incident = :free"
ROOM = "attribute_not_exists(pk) OR contains(who, :one) OR size(who) < :limit"


class Holds:
    """Items `slo#<id>`, `stack#<stack>` and `changes#<workload>#<day>` of the incidents table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, kind: str, what: str, incident: str) -> str:
        """Hold `what` for an incident on record; the incident that holds it afterwards."""
        if self._table.put(**hold(kind, what, incident, free=incident)):
            return incident
        holder = self.holder(kind, what) or incident
        if holder == incident or self.in_hand(holder):
            return holder
        return incident if self._table.put(**hold(kind, what, incident, free=holder)) else holder

    def holder(self, kind: str, what: str) -> str | None:
        """Who holds it, closed or not."""
        item = self._table.get(kind, what)
        return str(item["incident"]["S"]) if item else None

    def in_hand(self, incident: str) -> bool:
        """Whether an incident is not closed yet; a forgotten one holds nothing."""
        item = self._table.get("incident", incident)
        return bool(item) and Status(item["status"]["S"]).holds

    def release(self, kind: str, what: str, incident: str) -> None:
        """Let go of what this incident holds, and of nothing else."""
        self._table.delete(kind, what, "incident = :me", text(**{":me": incident}))

    def count(self, workload: str, day: str, limit: int, incident: str) -> bool:
        """Count an incident's change once; False if there is no room."""
        if limit <= 0:
            return False
        values = {
            ":me": {"SS": [incident]},
            **text(**{":one": incident}),
            **number(**{":limit": limit, ":expires": _after(day)}),
        }
        change = "ADD who :me SET expires = if_not_exists(expires, :expires)"
        return bool(
            self._table.update("changes", f"{workload}#{day}", change, values, condition=ROOM)
        )


def hold(kind: str, what: str, incident: str, free: str) -> Attributes:
    """The arguments of a put that holds `what`, unless somebody but `free` holds it."""
    return {
        "item": {**key(kind, what), **text(incident=incident)},
        "condition": UNLESS_HELD,
        "values": text(**{":free": free}),
    }


def _after(day: str) -> int:
    return epoch(datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(days=2))
