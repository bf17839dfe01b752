"""One burn being handled: its identity, its status, its timeline."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum

from .workload import Model


class Status(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    HELD = "held"  # the burn ended while approval was pending
    PROPOSED = "proposed"  # mode propose
    APPLIED = "applied"
    RECOVERED = "recovered"
    AWAITING_OK = "awaiting_ok"  # recovered; Honeycomb's own OK has not come yet
    ROLLED_BACK = "rolled_back"
    PARKED = "parked"  # a fault; an operator's turn
    CLOSED = "closed"

    @property
    def holds(self) -> bool:
        """Whether the incident still holds its SLO, and its stack if it claimed it."""
        return self in {Status.OPEN, Status.APPLIED, Status.PARKED}


OK_CAME = "Honeycomb says OK"  # how the note of an OK begins


class Note(Model):
    """One line of an incident's timeline."""

    at: datetime
    state: str  # the ASL state, or the route or event that wrote it
    text: str


class Incident(Model):
    """The record of one burn. At most one is open per SLO."""

    id: str
    workload: str
    slo: str
    alert: str  # the alert's instance id: unique per firing
    summary: str  # Honeycomb's own words; data from strangers
    opened: datetime
    attempt: int = 1
    status: Status = Status.OPEN
    reason: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def ok_came(self) -> bool:
        """Whether the alert itself has been taken back."""
        return any(note.text.startswith(OK_CAME) for note in self.notes)


def incident_id(workload: str, slo: str, alert: str) -> str:
    """A name that is the same for every delivery of one firing, e.g. `chatbot-1f0c9a2b7e`."""
    return f"{workload}-{hashlib.sha256(f'{slo}/{alert}'.encode()).hexdigest()[:10]}"


def execution_name(incident: str, attempt: int) -> str:
    """The Step Functions execution of an attempt: `<id>`, then `<id>-2`, ..."""
    return incident if attempt == 1 else f"{incident}-{attempt}"


def artifact_key(incident: str, attempt: int, name: str) -> str:
    """Where an attempt keeps a document in the artifacts bucket."""
    return f"incidents/{incident}/{attempt}/{name}.json"
