"""POST /webhooks/honeycomb: record the delivery durably, start one execution, answer.

Honeycomb waits seconds and repeats a delivery only after 408, 502, or 429 and 503 with
Retry-After (docs.honeycomb.io/notify/webhooks, 2026-11): whatever keeps us from recording one is
answered 503 with it. Once a delivery is recorded, the sweep finishes what breaks off here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from backburn import mail, wiring
from backburn.alert import ID_LIMIT, Alert, AlertStatus, parse
from backburn.errors import BadRequest, TooLarge, Unauthenticated
from backburn.incident import OK_CAME, Incident, Status, execution_name, incident_id
from backburn.ports import Incidents, Mailer, Workflow
from backburn.workload import Workloads

BODY_LIMIT = 64 * 1024
RETRY = 503
NOTES = 100  # an item of the table holds 400 KB, and a parked incident may see alerts for days
STATE = "honeycomb_webhook"
log = logging.getLogger("backburn")


class Outcome(NamedTuple):
    """What became of a delivery."""

    outcome: str
    incident: str = ""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """One HTTP API event (payload 2.0) to one answer."""
    try:
        authenticate(event, wiring.webhook_tokens())
        became = receive(
            event,
            wiring.workloads(),
            wiring.incidents(),
            wiring.workflow(),
            wiring.mailer(),
            wiring.now(),
        )
    except BadRequest as error:
        return _answer(error.status, {"error": str(error)})
    except Exception:
        log.exception("the delivery could not be recorded or handled")
        return _answer(RETRY, {"error": "it could not be handled; please send it again"})
    return _answer(202, {name: value for name, value in became._asdict().items() if value})


def authenticate(event: dict[str, Any], tokens: Iterable[str]) -> None:
    """Compare in constant time with each; an empty one, which Honeycomb allows, lets nobody in."""
    given = event.get("headers", {}).get("x-honeycomb-webhook-token", "").encode()
    if not any(token and hmac.compare_digest(given, token.encode()) for token in tokens):
        raise Unauthenticated("X-Honeycomb-Webhook-Token is missing or wrong")


def receive(
    event: dict[str, Any],
    workloads: Workloads,
    incidents: Incidents,
    workflow: Workflow,
    mailer: Mailer,
    now: datetime,
) -> Outcome:
    """Check, record and handle one delivery."""
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    if len(raw) > BODY_LIMIT:
        raise TooLarge(f"the body has {len(raw)} bytes, {BODY_LIMIT} are taken")
    alert = parse(raw)
    delivery = _delivery(event, raw)
    if not incidents.record_delivery(delivery, raw.decode(), now):
        return Outcome("this delivery was recorded before")
    return handle(delivery, alert, workloads, incidents, workflow, mailer, now)


def handle(
    delivery: str,
    alert: Alert,
    workloads: Workloads,
    incidents: Incidents,
    workflow: Workflow,
    mailer: Mailer,
    now: datetime,
) -> Outcome:
    """Do what a recorded delivery asks for, and settle it. Safe to repeat."""
    workload = workloads.for_slo(alert.slo)
    if alert.is_test:
        became = Outcome("a test: nothing is started")
    elif workload is None:
        became = _unknown(delivery, alert, incidents, mailer, now)
    elif alert.status is AlertStatus.OK:
        became = _recovered(alert, workload.name, incidents, now)
    else:
        became = _burning(alert, workload.name, incidents, workflow, now)
    incidents.settle_delivery(delivery, became.outcome)
    log.info(became.outcome, extra={"delivery": delivery, "slo": alert.slo})
    return became


def _unknown(
    delivery: str, alert: Alert, incidents: Incidents, mailer: Mailer, now: datetime
) -> Outcome:
    said = f"no workload names the SLO {alert.slo}"
    if not incidents.first_of_hour(alert.slo, delivery, now):
        return Outcome(f"{said}: the operators were told within the hour")
    values = {"slo": alert.slo, "name": alert.name, "summary": alert.summary}
    mailer.to_operators(*mail.write("no_workload", {**values, "delivery": delivery}))
    return Outcome(f"{said}: the operators are told")


def _burning(
    alert: Alert, workload: str, incidents: Incidents, workflow: Workflow, now: datetime
) -> Outcome:
    mine = Incident(
        id=incident_id(workload, alert.slo, alert.instance),
        workload=workload,
        slo=alert.slo,
        alert=alert.instance,
        summary=alert.summary,
        opened=now,
    )
    incident = incidents.open(mine)
    if incident.id != mine.id:
        if len(incident.notes) >= NOTES:
            return Outcome("recorded; the open incident's timeline is full", incident.id)
        note = f"another alert of the SLO fired meanwhile ({alert.instance}): {alert.summary}"
        incidents.note(incident.id, now, STATE, note)
        return Outcome("noted on the open incident", incident.id)
    if incident.status is not Status.OPEN:
        incidents.note(incident.id, now, STATE, "the same alert was sent again")
        return Outcome(f"{incident.status}: the same firing does not reopen it", incident.id)
    payload = {
        "incident": incident.id,
        "attempt": incident.attempt,
        "workload": incident.workload,
        "slo": incident.slo,
    }
    workflow.start(execution_name(incident.id, incident.attempt), payload)
    return Outcome("the incident is being handled", incident.id)


def _recovered(alert: Alert, workload: str, incidents: Incidents, now: datetime) -> Outcome:
    incident = incident_id(workload, alert.slo, alert.instance)
    try:
        incidents.note(incident, now, STATE, f"{OK_CAME}: {alert.summary}")
    except KeyError:
        return Outcome("an OK for an alert that was never recorded: nothing to do")
    if incidents.get(incident).status is Status.AWAITING_OK:
        reason = "measured well again, and Honeycomb has taken the alert back"
        incidents.set_status(incident, Status.RECOVERED, reason, now)
    return Outcome("the OK is noted", incident)


def _delivery(event: dict[str, Any], body: bytes) -> str:
    """The delivery's id: the same for every retry, and never trusted to be short."""
    given = str(event.get("headers", {}).get("x-honeycomb-webhook-delivery-id", ""))
    if 0 < len(given) <= ID_LIMIT and given.isprintable():
        return given
    return f"body-{hashlib.sha256(body).hexdigest()}"


def _answer(status: int, body: dict[str, str]) -> dict[str, Any]:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    if status == RETRY:
        headers["retry-after"] = "1"
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
