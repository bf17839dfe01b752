"""CloseIncident: the outcome becomes the record's status, a marker, and a mail.

Safe to repeat: the status and the record are written over with the same, a note is written once.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from backburn import mail, wiring
from backburn.ending import ENDINGS, Ending, status
from backburn.errors import Fault
from backburn.incident import Incident, Status, artifact_key
from backburn.ports import Artifacts, Incidents, Mailer, Telemetry
from backburn.proposal import Proposal, read
from backburn.update import recorded, standing
from backburn.workload import Workload

STATE = "CloseIncident"
RECORD = "backburn/record/v1"
EARLIER = "This run changed nothing, but builds of the incident did:"
TAKE_BACK = {"Unknown", "RollbackRefused", "RollbackNotDeployed", "RollbackHalfApplied"}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The state: its input is {outcome, reason} and, once measured, the verdict."""
    return close_incident(
        event,
        wiring.workloads().named(event["workload"]),
        wiring.incidents(),
        wiring.artifacts(),
        wiring.telemetry(),
        wiring.mailer(),
        wiring.now(),
    )


def close_incident(
    event: dict[str, Any],
    workload: Workload,
    incidents: Incidents,
    artifacts: Artifacts,
    telemetry: Telemetry,
    mailer: Mailer,
    now: datetime,
) -> dict[str, Any]:
    """Close, tell, and return what was said."""
    ending, incident = ENDINGS[event["outcome"]], incidents.get(event["incident"])
    reason = f"{ending.headline}: {event['reason']}"
    proposal, done = _proposal(artifacts, event), _done(ending, event, artifacts)
    # A redriven earlier attempt ends, too; what holds SLO and stack is the newest one's to free.
    newest = event["attempt"] == incident.attempt
    stands = status(ending, ok_came=incident.ok_came) if newest else incident.status
    incidents.note(incident.id, now, STATE, reason)
    if ending.applied:
        _mark(reason, event, workload, proposal, incidents, telemetry, now)
    if newest:
        incidents.set_status(incident.id, stands, reason, now)
    _write_record(event, incidents.get(incident.id), artifacts)
    values = _values(event, incident, ending, stands, proposal)
    letter = mail.write("closed", values | {"stands": _stands(ending, done)})
    for approver in workload.approvers:
        mailer.to_approver(approver, *letter)
    if ending.operators or done:
        mailer.to_operators(*letter)
    return {"status": stands.value, "reason": reason}


def _proposal(artifacts: Artifacts, event: dict[str, Any]) -> Proposal | None:
    """What was proposed, if it came so far."""
    try:
        return read(artifacts.read(artifact_key(event["incident"], event["attempt"], "proposal")))
    except (KeyError, ValueError):
        return None


def _done(ending: Ending, event: dict[str, Any], artifacts: Artifacts) -> list[str]:
    """What builds did to the world and whoever goes on must know, a line each."""
    incident, attempt = event["incident"], int(event["attempt"])
    if ending.applied:
        told = recorded(artifacts, incident, attempt) if ending.operators else ()
        return [update.told() for update in told]
    return [
        f"attempt {number}, {update.told()}"
        for number in range(1, attempt + 1)
        for update in standing(recorded(artifacts, incident, number))
    ]


def _stands(ending: Ending, done: list[str]) -> str:
    said = ending.stands if ending.applied or not done else EARLIER
    return "\n\n".join(filter(None, (said, mail.bullets(done))))


def _mark(
    reason: str,
    event: dict[str, Any],
    workload: Workload,
    proposal: Proposal | None,
    incidents: Incidents,
    telemetry: Telemetry,
    now: datetime,
) -> None:
    """A marker on the dataset's graphs. It decorates: what fails here is noted, no more."""
    title = f" ({proposal.shown.title})" if proposal else ""
    try:
        telemetry.mark(workload.dataset, f"Backburn {event['incident']}: {reason}{title}", now)
    except Fault as fault:
        incidents.note(event["incident"], now, STATE, f"no marker in Honeycomb: {fault}")


def _write_record(event: dict[str, Any], incident: Incident, artifacts: Artifacts) -> None:
    record = {
        "schema": RECORD,
        "incident": incident.model_dump(mode="json"),
        "outcome": event["outcome"],
        "verdict": event.get("verdict"),
    }
    key = artifact_key(incident.id, event["attempt"], "record")
    artifacts.write(key, json.dumps(record, indent=1, ensure_ascii=False).encode())


def _values(
    event: dict[str, Any],
    incident: Incident,
    ending: Ending,
    stands: Status,
    proposal: Proposal | None,
) -> dict[str, str]:
    undo = ""
    if event["outcome"] in TAKE_BACK and proposal:
        back = proposal.effects.change.inverse().words()
        undo = f"\nTo take it back by hand, change the program and deploy it:\n\n  {back}\n"
    return {
        "headline": ending.headline,
        "reason": event["reason"][:1].upper() + event["reason"][1:],
        "undo": undo,
        "workload": incident.workload,
        "summary": incident.summary,
        "incident": incident.id,
        "attempt": str(event["attempt"]),
        "status": stands.value,
    }
