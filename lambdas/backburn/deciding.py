"""Taking one decision: what a link leads to, what an answer needs, and how it is delivered.

Shared by the approval route, which alone takes decisions, and the sweep, which delivers what was
written and not delivered.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import NamedTuple

from .decision import CODE_TRIES, Choice, Decision, Link, Request, code_hash, link_hash
from .ports import Approvals, Artifacts, Incidents, MacKey, Workflow
from .proposal import Proposal, read

STATE = "approval"


class NotOpen(Exception):  # an answer to the approver, not a failure
    """The link decides nothing (any more): an HTTP status, a title and what to say."""

    def __init__(self, status: int, title: str, said: str, request: Request | None = None) -> None:
        super().__init__(said)
        self.status, self.title = status, title
        self.incident = request.incident if request else ""
        self.seen: Seen | None = None  # what may still be read


class WrongCode(Exception):  # the same
    """The short code is not the mail's; `left` more tries."""

    def __init__(self, left: int) -> None:
        super().__init__(f"That is not the code of the mail. {left} more tries are left.")
        self.left = left


class Seen(NamedTuple):
    """What an open link leads to."""

    link: Link
    request: Request
    proposal: Proposal


class Form(NamedTuple):
    """What an approver sends."""

    choice: Choice
    code: str
    reason: str


def look(secret: str, approvals: Approvals, artifacts: Artifacts, now: datetime) -> Seen:
    """What the link leads to; NotOpen if it is unknown, replaced, used, void or expired."""
    try:
        link = approvals.link(link_hash(secret))
        request = approvals.request(link.execution)
    except KeyError:
        said = "This link leads nowhere. Perhaps a part of it was lost on the way."
        raise NotOpen(404, "Unknown link", said) from None
    if link.generation != request.generation:
        raise superseded(request)
    if link.tries >= CODE_TRIES:
        raise void(request)
    seen = Seen(link, request, _proposal(request, artifacts))
    if closed := _closed(seen, approvals.decision(link.execution), now):
        closed.seen = seen
        raise closed
    return seen


def _closed(seen: Seen, standing: Decision | None, now: datetime) -> NotOpen | None:
    """Why the link can still be read, but decides nothing any more."""
    request = seen.request
    if standing is not None:
        return NotOpen(410, "Already decided", words(standing), request)
    if seen.link.decidable and now >= request.expiry:
        until = f"It could be decided until {request.expiry:%d %b %Y, %H:%M} UTC."
        said = f"{until} Nothing is changed by it any more."
        return NotOpen(410, "This proposal has expired", said, request)
    return None


def _proposal(request: Request, artifacts: Artifacts) -> Proposal:
    """The proposal whose digest was mailed, or nothing at all."""
    data = artifacts.read(request.proposal)
    if hashlib.sha256(data).hexdigest() != request.digest:
        said = (
            "What is stored is not what was mailed to you, so it is neither shown nor can it be"
            " approved. Please tell the operators."
        )
        raise NotOpen(409, "The proposal was changed", said, request)
    return read(data)


def decide(
    secret: str,
    form: Form,
    seen: Seen,
    approvals: Approvals,
    mac_key: MacKey,
    now: datetime,
) -> Decision:
    """Check the code, then write the decision with its MAC; the first one stands."""
    link, request, _ = seen
    _spend_try(form.code, secret, link, request, approvals)
    unsigned = Decision(
        incident=request.incident,
        attempt=request.attempt,
        decision=form.choice,
        digest=request.digest,
        approver=link.approver,
        expiry=request.expiry,
        at=now,
        reason=form.reason if form.choice is Choice.REJECT else "",
    )
    decision = unsigned.signed(mac_key.generate(unsigned.message()))
    try:
        standing = approvals.decide(request.execution, request.generation, decision)
    except LookupError:
        raise superseded(request) from None
    if standing != decision:
        raise NotOpen(409, "Already decided", words(standing), request)
    return decision


def _spend_try(code: str, secret: str, link: Link, request: Request, approvals: Approvals) -> None:
    # The try is spent before the code is looked at: a thousand guesses at once are five guesses.
    spent = approvals.spend_try(link.link, CODE_TRIES)
    typed = "".join(c for c in code if c.isalnum())
    if not spent:
        raise void(request)
    if not hmac.compare_digest(code_hash(typed, secret), link.code):
        raise WrongCode(CODE_TRIES - spent)


def deliver(
    request: Request,
    decision: Decision,
    approvals: Approvals,
    incidents: Incidents,
    workflow: Workflow,
    now: datetime,
) -> bool:
    """Wake the execution; False if it does not wait any more. Safe to repeat."""
    waiting = True
    try:
        if decision.decision is Choice.APPROVE:
            workflow.succeed(request.token, {"decision": Choice.APPROVE.value})
        else:
            workflow.fail(request.token, "Rejected", f"{decision.approver}: {decision.reason}")
    except LookupError:
        waiting = False
        late = "the decision found nobody waiting: the execution had gone on or ended"
        incidents.note(request.incident, now, STATE, late)
    approvals.delivered(request.execution)
    return waiting


def words(decision: Decision) -> str:
    """Who decided what, and when."""
    did = "approved" if decision.decision is Choice.APPROVE else "rejected"
    why = f": {decision.reason}" if decision.reason else ""
    return f"{decision.approver} {did} it on {decision.at:%d %b %Y at %H:%M} UTC{why}"


def superseded(request: Request) -> NotOpen:
    """A newer mail has replaced the link."""
    said = "A newer mail about this incident has replaced it. Please use the link there."
    return NotOpen(410, "This link is void", said, request)


def void(request: Request) -> NotOpen:
    """Too many wrong codes."""
    said = "Five wrong codes were entered. This link decides nothing any more; the operators know."
    return NotOpen(410, "This link is void", said, request)
