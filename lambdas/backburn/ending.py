"""How an incident ends: what each outcome of the workflow means for its record and its people."""

from __future__ import annotations

from typing import NamedTuple

from .incident import Status

UNTOUCHED = "Nothing was changed."
AGAIN = f"{UNTOUCHED} Once that is mended, `python -m backburn retry` starts another attempt."


class Ending(NamedTuple):
    """One row: where the incident stands then, and what is said of it."""

    status: Status
    headline: str
    stands: str  # what was or was not changed
    applied: bool = False  # something was applied on the way here: mark it in Honeycomb
    operators: bool = False  # somebody must look


ENDINGS = {
    "NotOurs": Ending(Status.CLOSED, "Not ours to fix", UNTOUCHED),
    "Inconclusive": Ending(Status.CLOSED, "No cause stands out", UNTOUCHED),
    "Observed": Ending(
        Status.CLOSED, "Observed", f"{UNTOUCHED} The workload is in mode `observe`."
    ),
    "Abstained": Ending(Status.CLOSED, "No change proposed", UNTOUCHED),
    "StackBusy": Ending(
        Status.CLOSED, "The stack is busy", f"{UNTOUCHED} Another incident's change goes first."
    ),
    "Braked": Ending(Status.CLOSED, "A brake is on", AGAIN),
    "Proposed": Ending(Status.PROPOSED, "Proposed", f"{UNTOUCHED} The proposal can be read."),
    "Refused": Ending(Status.CLOSED, "Refused by a check", AGAIN),
    "Rejected": Ending(Status.CLOSED, "Rejected", UNTOUCHED),
    "Expired": Ending(Status.CLOSED, "Expired", AGAIN),
    "BurnEnded": Ending(Status.HELD, "The burn ended by itself", UNTOUCHED),
    "HalfApplied": Ending(
        Status.PARKED,
        "Half applied",
        "The change was applied in part, and the update is not repeated: deploy the published"
        " program to take it back, or the patched one to finish it.",
        applied=True,
        operators=True,
    ),
    "Recovered": Ending(
        Status.AWAITING_OK, "Recovered", "The change is in force and has helped.", applied=True
    ),
    "Unknown": Ending(
        Status.CLOSED,
        "Applied, not proven",
        "The change is in force and is kept: neither a recovery nor harm was measured.",
        applied=True,
        operators=True,
    ),
    "RolledBack": Ending(
        Status.ROLLED_BACK,
        "Rolled back",
        "The change was applied and taken back again.",
        applied=True,
        operators=True,
    ),
    "RollbackNotDeployed": Ending(
        Status.PARKED,
        "The rollback did not deploy",
        "The change was applied, and taking it back was started but does not serve.",
        applied=True,
        operators=True,
    ),
    "RollbackRefused": Ending(
        Status.PARKED,
        "The rollback was refused",
        "The change was applied and is still in force, although it should be taken back.",
        applied=True,
        operators=True,
    ),
    "RollbackHalfApplied": Ending(
        Status.PARKED,
        "The rollback ended half-way",
        "The change was applied, and it was taken back in part only.",
        applied=True,
        operators=True,
    ),
}


def status(ending: Ending, *, ok_came: bool) -> Status:
    """Where the incident stands: nobody awaits an OK that has come."""
    if ending.status is Status.AWAITING_OK and ok_came:
        return Status.RECOVERED
    return ending.status
