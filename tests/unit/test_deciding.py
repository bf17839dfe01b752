"""A decision is taken once, by whoever has link and code together (law 5)."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from backburn import decision, proposal
from backburn.deciding import Form, NotOpen, Seen, WrongCode, decide, deliver, look
from backburn.decision import CODE_TRIES, Choice, Decision, Link, Request
from backburn.proposal import Proposal
from backburn.shown import shown
from tests.fakes import proposals
from tests.fakes.approvals import FakeApprovals
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.incidents import FakeIncidents
from tests.fakes.mac_key import FakeMacKey
from tests.fakes.patient import chatbot
from tests.fakes.proposals import NOW
from tests.fakes.workflow import FakeWorkflow

NAME = proposals.incident().id
SECRET, CODE = "s" * 43, "012345"
KEY = "proposal.json"
EXPIRY = NOW + timedelta(hours=1)
YES, NO = Form(Choice.APPROVE, CODE, "ignored"), Form(Choice.REJECT, CODE, "not on a Friday")


class Desk:
    """One request with one link, and the moment."""

    def __init__(self, **link: bool) -> None:
        preview = proposals.preview()
        told = shown(
            chatbot(), proposals.incident(), proposals.evidence(), proposals.diagnosis(), preview
        )
        document = proposal.document(Proposal(effects=preview.effects(EXPIRY), shown=told))
        self.artifacts = FakeArtifacts(**{KEY: document})
        self.approvals, self.incidents = FakeApprovals(), FakeIncidents()
        self.incidents.open(proposals.incident())
        self.workflow, self.mac_key = FakeWorkflow("token"), FakeMacKey()
        self.now = NOW
        self.request = Request(
            execution=NAME,
            incident=NAME,
            attempt=1,
            workload="chatbot",
            generation="g1",
            token="token",
            proposal=KEY,
            digest=hashlib.sha256(document).hexdigest(),
            expiry=EXPIRY,
        )
        known = Link(
            link=decision.link_hash(SECRET),
            code=decision.code_hash(CODE, SECRET),
            approver="one@example.com",
            execution=NAME,
            generation="g1",
        )
        self.approvals.ask(self.request, [known.model_copy(update=link)], NOW)

    def look(self, secret: str = SECRET) -> Seen:
        """Open the link."""
        return look(secret, self.approvals, self.artifacts, self.now)

    def decide(self, form: Form, seen: Seen | None = None) -> Decision:
        """Send the form."""
        return decide(SECRET, form, seen or self.look(), self.approvals, self.mac_key, self.now)

    def deliver(self, taken: Decision) -> bool:
        """Wake the execution."""
        return deliver(self.request, taken, self.approvals, self.incidents, self.workflow, self.now)


def refusal(desk: Desk) -> tuple[int, str]:
    """Status and title of why the link decides nothing."""
    with pytest.raises(NotOpen) as told:
        desk.look()
    assert str(told.value)
    return told.value.status, told.value.title


def test_an_open_link_leads_to_its_proposal() -> None:
    """And spends nothing, however often."""
    desk = Desk()
    assert desk.look() == desk.look()
    assert desk.look().link.tries == 0


def test_a_link_that_was_never_sent_leads_nowhere() -> None:
    """It does not say what it might have been."""
    with pytest.raises(NotOpen, match="leads nowhere") as told:
        Desk().look("guessed")
    assert (told.value.status, told.value.incident) == (404, "")


def test_a_link_that_was_replaced_says_so() -> None:
    """A redriven request has another generation."""
    desk = Desk()
    desk.approvals.ask(desk.request.model_copy(update={"generation": "g2"}), [], NOW)
    assert refusal(desk) == (410, "This link is void")


def test_an_expired_link_can_still_be_read() -> None:
    """From the very moment on it decides nothing; what was proposed stays readable."""
    desk = Desk()
    desk.now = EXPIRY
    assert refusal(desk) == (410, "This proposal has expired")
    with pytest.raises(NotOpen) as told:
        desk.look()
    assert told.value.seen is not None


def test_a_page_without_buttons_does_not_expire() -> None:
    """Mode `propose`: there is nothing to decide."""
    desk = Desk(decidable=False)
    desk.now = EXPIRY + timedelta(days=1)
    assert desk.look().link.decidable is False


def test_law_2_a_proposal_that_was_changed_is_not_shown() -> None:
    """What was mailed, or nothing at all."""
    desk = Desk()
    desk.artifacts.write(KEY, desk.artifacts.read(KEY) + b"\n")
    assert refusal(desk) == (409, "The proposal was changed")


def test_law_5_an_approval_carries_its_mac_and_no_reason() -> None:
    """Over incident, attempt, decision, digest, approver and expiry."""
    desk = Desk()
    taken = desk.decide(YES)
    assert desk.mac_key.verify(taken.message(), taken.mac_bytes())
    assert (taken.decision, taken.reason, taken.digest) == (
        Choice.APPROVE,
        "",
        desk.request.digest,
    )
    assert refusal(desk) == (410, "Already decided")


def test_law_5_wrong_codes_are_counted_and_void_the_link() -> None:
    """The right one does not help after the fifth."""
    desk = Desk()
    seen = desk.look()
    for left in range(CODE_TRIES - 1, -1, -1):
        with pytest.raises(WrongCode) as wrong:
            desk.decide(YES._replace(code="999999"), seen)
        assert wrong.value.left == left
    with pytest.raises(NotOpen, match="Five wrong codes"):
        desk.decide(YES, seen)
    assert refusal(desk) == (410, "This link is void")
    assert desk.approvals.decision(NAME) is None


def test_law_5_the_first_decision_stands() -> None:
    """The second click of two at once is told what stands."""
    desk = Desk()
    seen = desk.look()
    desk.decide(NO, seen)
    with pytest.raises(NotOpen, match=r"rejected it on .* UTC: not on a Friday") as told:
        desk.decide(YES, seen)
    assert told.value.status == 409


def test_law_5_a_request_replaced_under_the_click_decides_nothing() -> None:
    """The conditional write tells."""
    desk = Desk()
    seen = desk.look()
    desk.approvals.ask(desk.request.model_copy(update={"generation": "g2"}), [], NOW)
    with pytest.raises(NotOpen, match="newer mail"):
        desk.decide(YES, seen)


def test_a_decision_wakes_the_execution_with_its_word() -> None:
    """An approval is a success, a rejection a failure with its reason; both delivered once."""
    for form, answer in (
        (YES, {"decision": "approve"}),
        (NO, ("Rejected", "one@example.com: not on a Friday")),
    ):
        desk = Desk()
        assert desk.deliver(desk.decide(form))
        assert desk.workflow.answers == {"token": answer}
        assert desk.approvals.undelivered(NOW + timedelta(days=1)) == []


def test_a_decision_that_finds_nobody_waiting_is_noted() -> None:
    """And is not tried again for ever."""
    desk = Desk()
    taken = desk.decide(YES)
    desk.workflow = FakeWorkflow()
    assert not desk.deliver(taken)
    assert "found nobody waiting" in desk.incidents.get(NAME).notes[-1].text
    assert desk.approvals.undelivered(NOW + timedelta(days=1)) == []
