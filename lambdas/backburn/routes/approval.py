"""GET and POST /approvals/{link}: show a proposal, and take one decision about it.

GET never decides (law 5). A POST needs the short code of the mail as well, because scanners open
links, run scripts and post forms. The decision is written, with its MAC, before the task token is
sent: what breaks off in between is delivered by the sweep.
"""

from __future__ import annotations

import base64
import logging
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from backburn import deciding, mail, page, wiring
from backburn.alert import plain
from backburn.deciding import Form, NotOpen, Seen, WrongCode
from backburn.decision import Choice, Decision
from backburn.ports import Approvals, Artifacts, Incidents, MacKey, Mailer, Workflow

FORM_LIMIT = 16 * 1024
log = logging.getLogger("backburn")


class Answer(NamedTuple):
    """An HTTP status and a page."""

    status: int
    html: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """One HTTP API event (payload 2.0) to one page."""
    try:
        answer = respond(
            event,
            wiring.approvals(),
            wiring.artifacts(),
            wiring.incidents(),
            wiring.mac_key(),
            wiring.workflow(),
            wiring.mailer(),
            wiring.now(),
        )
    except Exception:
        log.exception("the page could not be made")
        said = "Something of ours does not work. Nothing was decided; please try again."
        answer = Answer(503, page.message("Please try again", [said], tone="problem"))
    return {
        "statusCode": answer.status,
        "headers": page.headers() | ({"allow": "GET, POST"} if answer.status == 405 else {}),  # noqa: PLR2004
        "body": answer.html,
    }


def respond(
    event: dict[str, Any],
    approvals: Approvals,
    artifacts: Artifacts,
    incidents: Incidents,
    mac_key: MacKey,
    workflow: Workflow,
    mailer: Mailer,
    now: datetime,
) -> Answer:
    """The page that answers one request."""
    method = event["requestContext"]["http"]["method"]
    secret = (event.get("pathParameters") or {}).get("link", "")
    if method not in {"GET", "POST"}:
        return Answer(405, page.message("Not this way", ["Open the link, or send its form."]))
    try:
        seen = deciding.look(secret, approvals, artifacts, now)
        if method == "GET":
            return _shown(seen, now)
        form = _form(event, seen, now)
        if isinstance(form, Answer):
            return form
        try:
            decision = deciding.decide(secret, form, seen, approvals, mac_key, now)
        except WrongCode as wrong:
            if wrong.left:
                rejecting = form.choice is Choice.REJECT
                return _shown(seen, now, 403, str(wrong), rejecting=rejecting)
            _tell_operators(event, seen, incidents, mailer, now)
            raise deciding.void(seen.request) from wrong
    except NotOpen as why:
        return _not_open(why, now)
    log.info("decided", extra=_client(event) | {"incident": decision.incident})
    return _delivered(seen, decision, approvals, incidents, workflow, now)


def _shown(
    seen: Seen,
    now: datetime,
    status: int = 200,
    problem: str = "",
    *,
    closed: str = "",
    rejecting: bool = False,
) -> Answer:
    """The proposal's page for the link's approver; once `closed`, it can only be read."""
    decidable = seen.link.decidable and not closed
    html = page.proposal(
        seen.proposal,
        digest=seen.request.digest,
        approver=seen.link.approver,
        decidable=decidable,
        now=now,
        headline=closed or ("Approve one change?" if decidable else "One change is proposed"),
        problem=problem,
        rejecting=rejecting,
    )
    return Answer(status, html)


def _not_open(why: NotOpen, now: datetime) -> Answer:
    """Why nothing can be decided, and below it what may still be read."""
    if why.seen is not None:
        return _shown(why.seen, now, why.status, str(why), closed=why.title)
    said = page.message(why.title, [str(why)], incident=why.incident, tone="problem")
    return Answer(why.status, said)


def _form(event: dict[str, Any], seen: Seen, now: datetime) -> Form | Answer:
    """The form as it was meant, or the page that says what is missing."""
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    if len(raw) > FORM_LIMIT:
        return _shown(seen, now, 413, "The form was too large.")
    fields = {name: values[-1] for name, values in parse_qs(raw.decode(errors="replace")).items()}
    if not seen.link.decidable:
        return _shown(seen, now, 403, "This proposal can be read, not decided.")
    if fields.get("digest") != seen.request.digest:
        return _shown(seen, now, 409, "The form was of another proposal. Please read this one.")
    if fields.get("decision") not in set(Choice):
        return _shown(seen, now, 400, "Please either approve or reject.")
    choice, reason = Choice(fields["decision"]), plain(fields.get("reason"))
    if choice is Choice.REJECT and not reason:
        return _shown(seen, now, 400, "Please say why you reject it.", rejecting=True)
    return Form(choice, fields.get("code", ""), reason)


def _delivered(
    seen: Seen,
    decision: Decision,
    approvals: Approvals,
    incidents: Incidents,
    workflow: Workflow,
    now: datetime,
) -> Answer:
    """Note and deliver a decision that is written; what fails here is swept up."""
    request = seen.request
    title, said = "Rejected", "Nothing will be changed. The incident is closed with your reason."
    if decision.decision is Choice.APPROVE:
        title, said = "Approved", "If it still burns, the change is applied now, and then measured."
    try:
        proof = f"{deciding.words(decision)}; proved by the link and the code of the mail"
        incidents.note(request.incident, now, deciding.STATE, proof)
        if not deciding.deliver(request, decision, approvals, incidents, workflow, now):
            said = (
                "It came too late: the execution does not wait any more. Nothing will be changed."
            )
    except Exception:
        log.exception("the decision is written but not delivered; the sweep will do it")
        said += " This may take a minute."
    lines = [said, f"Proposal {decision.digest[:16]}. You will be told by mail how it ended."]
    return Answer(200, page.message(title, lines, incident=request.incident, tone="done"))


def _tell_operators(
    event: dict[str, Any], seen: Seen, incidents: Incidents, mailer: Mailer, now: datetime
) -> None:
    client = _client(event)
    values = {"incident": seen.request.incident, "approver": seen.link.approver, **client}
    note = f"the link of {seen.link.approver} is void after five wrong codes"
    incidents.note(seen.request.incident, now, deciding.STATE, f"{note} (from {client['source']})")
    log.warning("a link was voided", extra=client)
    # Last: this is the only request that finds it out, and a mail that fails leaves the rest.
    mailer.to_operators(*mail.write("link_void", values))


def _client(event: dict[str, Any]) -> dict[str, str]:
    """What is known of who sent this: hints for people, never a proof."""
    headers, http = event.get("headers", {}), event["requestContext"]["http"]
    fetch = " ".join(headers.get(f"sec-fetch-{what}", "-") for what in ("site", "mode", "user"))
    return {
        "source": plain(http.get("sourceIp")),
        "agent": plain(headers.get("user-agent")),
        "fetch": plain(fetch),
    }
