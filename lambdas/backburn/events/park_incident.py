"""EventBridge: an execution FAILED, TIMED_OUT or was ABORTED: park it and tell the operators.

An answer never comes here: answers are caught and the execution succeeds.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from backburn import mail, wiring
from backburn.alert import plain
from backburn.incident import Status
from backburn.ports import Artifacts, Failure, Incidents, Mailer, Workflow
from backburn.update import recorded

STATE = "park_incident"
REGION = 3  # field of an ARN


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """One status change of one execution."""
    return park_incident(
        event["detail"],
        wiring.incidents(),
        wiring.artifacts(),
        wiring.workflow(),
        wiring.mailer(),
        wiring.now(),
    )


def park_incident(
    detail: dict[str, Any],
    incidents: Incidents,
    artifacts: Artifacts,
    workflow: Workflow,
    mailer: Mailer,
    now: datetime,
) -> dict[str, Any]:
    """Say what happened, where, and what was applied; then wait for an operator."""
    case = json.loads(detail["input"])
    incident, attempt = incidents.get(case["incident"]), int(case["attempt"])
    failure = workflow.failure(detail["name"])
    how = detail["status"].replace("_", " ").lower()
    again = f", redriven {count} times" if (count := detail.get("redriveCount")) else ""
    error, applied = said(failure), applied_words(artifacts, incident.id, attempt)
    reason = f"{detail['name']}{again} {how} at {failure.state}: {error}"
    incidents.note(incident.id, now, STATE, f"{reason}. {applied}")
    if attempt < incident.attempt or not incident.status.holds:
        return {"status": incident.status.value, "reason": reason}
    incidents.set_status(incident.id, Status.PARKED, reason, now)
    values = {
        "incident": incident.id,
        "execution": detail["name"],
        "how": how,
        "state": failure.state,
        "error": error,
        "applied": applied,
        "console": _console(detail["executionArn"]),
    }
    mailer.to_operators(*mail.write("parked", values))
    return {"status": Status.PARKED.value, "reason": reason}


def said(failure: Failure) -> str:
    """The error in a sentence: a Lambda's message, or the build and where its log is."""
    try:
        cause = json.loads(failure.cause)
    except ValueError:
        cause = {}
    if not isinstance(cause, dict):
        cause = {}
    if "Build" in cause:
        return _ended(cause["Build"])
    text = plain(cause.get("errorMessage") or failure.cause)
    return ": ".join(part for part in (failure.error, text) if part) or "no reason was given"


def _ended(build: dict[str, Any]) -> str:
    # A build that could not start has no log: then the phase's own words are all there is.
    told = (
        f" at {phase.get('PhaseType')} ({plain(context['Message'])})"
        for phase in build.get("Phases") or ()
        for context in phase.get("Contexts") or ()
        if context.get("Message")
    )
    log = (build.get("Logs") or {}).get("DeepLink", "in CloudWatch Logs")
    ended = f"the build {build.get('Id')} is {build.get('BuildStatus')}{next(told, '')}"
    return f"{ended}; its log is {log}"


def applied_words(artifacts: Artifacts, incident: str, attempt: int) -> str:
    """What the builds of this attempt have done to the world, as they wrote it down."""
    told = [update.told() for update in recorded(artifacts, incident, attempt)]
    return ". ".join(told) or "Nothing was applied"


def _console(arn: str) -> str:
    region = arn.split(":")[REGION]
    host = f"https://{region}.console.aws.amazon.com/states/home"
    return f"{host}?region={region}#/v2/executions/details/{arn}"
