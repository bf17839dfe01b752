"""RequestApproval: write the proposal, give every approver a link of their own, and wait.

The task token only wakes the execution. A redriven run gets another token, and with it another
generation: the links of the earlier one are void, and so is what they decided.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from backburn import brakes, decision, mail, wiring
from backburn.diagnosis import Diagnosis
from backburn.errors import Proposed
from backburn.evidence import Evidence
from backburn.incident import Incident, artifact_key, execution_name
from backburn.ports import Approvals, Artifacts, Incidents, Mailer
from backburn.proposal import Preview, Proposal, document
from backburn.shown import shown
from backburn.workload import Mode, Workload

STATE = "RequestApproval"


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The state: mails, and leaves the token to the approval route."""
    return request_approval(
        event,
        wiring.workloads().named(event["workload"]),
        wiring.artifacts(),
        wiring.incidents(),
        wiring.approvals(),
        wiring.mailer(),
        wiring.brakes().engaged(),
        wiring.setting("BACKBURN_API_URL"),
        wiring.randomness,
        wiring.now(),
    )


def request_approval(
    event: dict[str, Any],
    workload: Workload,
    artifacts: Artifacts,
    incidents: Incidents,
    approvals: Approvals,
    mailer: Mailer,
    switch: str | None,
    api_url: str,
    randomness: decision.Randomness,
    now: datetime,
) -> dict[str, Any]:
    """Mail the proposal; in mode `propose` that is all, and the answer is Proposed."""
    brakes.check(workload, now, switch)
    record = incidents.get(event["incident"])
    proposal = _proposal(event, workload, record, artifacts, now)
    request = _store(event, workload, proposal, artifacts)
    secrets = {approver: decision.link_secret(randomness) for approver in workload.approvers}
    decidable = workload.mode is Mode.APPLY
    approvals.ask(request, [_link(request, a, s, decidable) for a, s in secrets.items()], now)
    for approver, secret in secrets.items():
        link = f"{api_url.rstrip('/')}/approvals/{secret.link}"
        values = _values(request, proposal) | {"link": link, "code": secret.code}
        mailer.to_approver(approver, *mail.write("approve" if decidable else "proposed", values))
    asked = f"proposal {request.digest[:12]} mailed to {', '.join(workload.approvers)}"
    incidents.note(record.id, now, STATE, f"{asked}: {proposal.shown.title}")
    if not decidable:
        raise Proposed(f"{asked}; mode `propose` applies nothing")
    return {"proposal": request.proposal, "digest": request.digest}


def _proposal(
    event: dict[str, Any],
    workload: Workload,
    record: Incident,
    artifacts: Artifacts,
    now: datetime,
) -> Proposal:
    """The document that is hashed, mailed and shown."""
    attempt = event["attempt"]
    preview = Preview.model_validate_json(artifacts.read(event["preview"]))
    evidence = Evidence.model_validate_json(_read(artifacts, record.id, attempt, "evidence"))
    diagnosis = Diagnosis.model_validate_json(_read(artifacts, record.id, attempt, "diagnosis"))
    expires = now.replace(microsecond=0) + timedelta(minutes=workload.approval_minutes)
    return Proposal(
        effects=preview.effects(expires),
        shown=shown(workload, record, evidence, diagnosis, preview),
    )


def _store(
    event: dict[str, Any], workload: Workload, proposal: Proposal, artifacts: Artifacts
) -> decision.Request:
    incident, attempt, token = event["incident"], event["attempt"], event["token"]
    key, data = artifact_key(incident, attempt, "proposal"), document(proposal)
    artifacts.write(key, data)
    return decision.Request(
        execution=execution_name(incident, attempt),
        incident=incident,
        attempt=attempt,
        workload=workload.name,
        generation=decision.generation(token),
        token=token,
        proposal=key,
        digest=hashlib.sha256(data).hexdigest(),
        expiry=proposal.effects.expires,
    )


def _link(
    request: decision.Request,
    approver: str,
    secret: decision.LinkSecret,
    decidable: bool,
) -> decision.Link:
    return decision.Link(
        link=decision.link_hash(secret.link),
        code=decision.code_hash(secret.code, secret.link),
        approver=approver,
        execution=request.execution,
        generation=request.generation,
        decidable=decidable,
    )


def _read(artifacts: Artifacts, incident: str, attempt: int, name: str) -> bytes:
    return artifacts.read(artifact_key(incident, attempt, name))


def _values(request: decision.Request, proposal: Proposal) -> dict[str, str]:
    told = proposal.shown
    return {
        "title": told.title,
        "service": told.service,
        "diagnosis": told.diagnosis,
        "confidence": told.confidence,
        "cost": told.cost,
        "steps": mail.bullets(told.steps),
        "approvers": " and ".join(told.approvers),
        "expires": f"{request.expiry:%Y-%m-%d %H:%M} UTC",
        "incident": request.incident,
        "attempt": str(request.attempt),
        "digest": request.digest[:16],
    }
