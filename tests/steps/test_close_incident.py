from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backburn.ending import ENDINGS, UNTOUCHED
from backburn.errors import HoneycombDenied
from backburn.incident import OK_CAME, Status, artifact_key
from backburn.proposal import Proposal, document
from backburn.shown import shown
from backburn.steps.close_incident import TAKE_BACK, close_incident
from backburn.update import Update
from tests.fakes import proposals
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.incidents import FakeIncidents
from tests.fakes.mailer import OPERATORS, FakeMailer
from tests.fakes.patient import CHAT_LATENCY, chatbot
from tests.fakes.proposals import NOW
from tests.fakes.telemetry import FakeTelemetry

NAME = proposals.incident().id
STEP = proposals.preview().bound.steps[1]
ASL = Path(__file__).parents[2] / "stacks" / "remediation.asl.json"
APPROVER = "approver@example.com"


class Desk:
    """The state with everything behind it in memory."""

    def __init__(self) -> None:
        self.incidents, self.artifacts = FakeIncidents(), FakeArtifacts()
        self.telemetry, self.mailer = FakeTelemetry(CHAT_LATENCY, "true"), FakeMailer()
        self.incidents.open(proposals.incident())
        self.incidents.claim_stack("dev", NAME)

    def propose(self) -> None:
        """It came as far as a proposal."""
        preview = proposals.preview()
        told = shown(
            chatbot(),
            proposals.incident(),
            proposals.evidence(),
            proposals.diagnosis(),
            preview,
        )
        proposal = Proposal(effects=preview.effects(NOW + timedelta(hours=1)), shown=told)
        self.artifacts.write(artifact_key(NAME, 1, "proposal"), document(proposal))

    def update(self, name: str, attempt: int = 1, **fields: Any) -> None:
        """What a build wrote down."""
        kind = "apply" if name == "update" else "rollback"
        known = {"kind": kind, "effects": "e" * 64, "result": "succeeded", "started": NOW}
        update = Update.model_validate(known | fields)
        self.artifacts.write(artifact_key(NAME, attempt, name), update.model_dump_json().encode())

    def close(self, outcome: str, reason: str = "why", **more: Any) -> dict[str, Any]:
        """The state, once."""
        event = {"incident": NAME, "attempt": 1, "workload": "chatbot", "slo": "chat-latency"}
        event |= {"outcome": outcome, "reason": reason} | more
        return close_incident(
            event,
            chatbot(),
            self.incidents,
            self.artifacts,
            self.telemetry,
            self.mailer,
            NOW,
        )


@pytest.fixture
def desk() -> Desk:
    """An open incident that holds its stack."""
    return Desk()


def outcomes(states: dict[str, Any]) -> set[str]:
    """Every outcome that reaches CloseIncident in the state machine."""
    found: set[str] = set()
    for state in states.values():
        for way in (*state.get("Choices", ()), *state.get("Catch", ())):
            if way.get("Next") == "CloseIncident":
                outcome = way["Output"]["outcome"]
                found |= set(way["ErrorEquals"]) if outcome.startswith("{%") else {outcome}
    return found


def test_every_outcome_of_the_workflow_has_its_ending() -> None:
    """And no ending is without a way to it."""
    assert outcomes(json.loads(ASL.read_text())["States"]) == set(ENDINGS)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("NotOurs", Status.CLOSED),
        ("Proposed", Status.PROPOSED),
        ("Rejected", Status.CLOSED),
        ("BurnEnded", Status.HELD),
        ("Recovered", Status.AWAITING_OK),
        ("Unknown", Status.CLOSED),
        ("RolledBack", Status.ROLLED_BACK),
        ("RollbackRefused", Status.PARKED),
        ("HalfApplied", Status.PARKED),
        ("RollbackHalfApplied", Status.PARKED),
    ],
)
def test_an_outcome_becomes_the_status(desk: Desk, outcome: str, status: Status) -> None:
    """With its reason, on the record and in the state's output."""
    answer = desk.close(outcome, "because")
    record = desk.incidents.get(NAME)
    assert answer == {"status": status.value, "reason": record.reason}
    assert record.status is status
    assert record.reason == f"{ENDINGS[outcome].headline}: because"
    assert record.notes[-1].state == "CloseIncident"


@pytest.mark.parametrize("outcome", ENDINGS)
def test_closing_frees_the_slo_and_the_stack(desk: Desk, outcome: str) -> None:
    """Unless an operator must first look at what stands."""
    desk.close(outcome)
    other = proposals.incident("chatbot-2")
    parked = ENDINGS[outcome].status is Status.PARKED
    assert desk.incidents.open(other).id == (NAME if parked else other.id)
    assert desk.incidents.claim_stack("dev", other.id) == (NAME if parked else other.id)


@pytest.mark.parametrize("outcome", ENDINGS)
def test_the_approvers_are_told_every_time(desk: Desk, outcome: str) -> None:
    """What happened, why, and what was or was not changed; operators where they must look."""
    desk.propose()
    desk.close(outcome, "because it is so")
    ending = ENDINGS[outcome]
    assert [m.to for m in desk.mailer.sent] == [APPROVER] + [OPERATORS] * ending.operators
    mail = desk.mailer.sent[0]
    assert mail.subject == f"{ending.headline}: chatbot ({NAME})"
    assert "Because it is so" in mail.text
    assert ending.stands in mail.text


@pytest.mark.parametrize("outcome", ENDINGS)
def test_what_was_applied_is_marked_in_honeycomb(desk: Desk, outcome: str) -> None:
    """And nothing else is."""
    desk.propose()
    desk.close(outcome)
    assert bool(desk.telemetry.marks) is ENDINGS[outcome].applied
    for message, at, _ in desk.telemetry.marks:
        assert at == NOW
        assert "otel-ai-chatbot-task: cpu 512 -> 1024" in message


def test_a_marker_that_fails_does_not_keep_an_incident_open(desk: Desk) -> None:
    """It decorates; the timeline says that it is missing."""

    class Denied(FakeTelemetry):
        def mark(self, *arguments: Any, **named: Any) -> None:
            raise HoneycombDenied("the key may not write markers")

    desk.telemetry = Denied(CHAT_LATENCY, "true")
    desk.close("Recovered")
    record = desk.incidents.get(NAME)
    assert record.status is Status.AWAITING_OK
    assert record.notes[-1].text == "no marker in Honeycomb: the key may not write markers"


def test_nobody_awaits_an_ok_that_has_come(desk: Desk) -> None:
    """Honeycomb took the alert back while we still measured."""
    desk.incidents.note(NAME, NOW, "honeycomb_webhook", f"{OK_CAME}: fine")
    assert desk.close("Recovered")["status"] == "recovered"


@pytest.mark.parametrize("outcome", sorted(TAKE_BACK))
def test_what_stands_unproven_can_be_taken_back(desk: Desk, outcome: str) -> None:
    """The mail says how, in the program's own words."""
    desk.propose()
    desk.close(outcome)
    way_back = "otel-ai-chatbot-task: cpu 1024 -> 512, memory 2048 -> 1024"
    assert way_back in desk.mailer.sent[0].text


def test_nothing_half_applied_goes_unsaid(desk: Desk) -> None:
    """What was applied and what was not, from the build's own record."""
    desk.update("update", executed=(STEP,), missing=(proposals.SERVICE,), result="failed")
    desk.close("HalfApplied")
    for letter in desk.mailer.sent:
        assert "apply: applied: replace TaskDefinition otel-ai-chatbot-task" in letter.text
        assert "not applied: Service otel-ai-chatbot-service" in letter.text


@pytest.mark.parametrize("attempt", [1, 2])
def test_nothing_was_changed_is_said_only_where_it_is_true(desk: Desk, attempt: int) -> None:
    """A refused redrive or a second attempt does not hide what a build did before."""
    desk.update("update", executed=(STEP,), result="failed")
    desk.close("Refused", attempt=attempt)
    assert [m.to for m in desk.mailer.sent] == [APPROVER, OPERATORS]
    assert UNTOUCHED not in desk.mailer.sent[0].text
    assert "attempt 1, apply: applied: replace TaskDefinition" in desk.mailer.sent[0].text


def test_what_was_taken_back_or_never_began_does_not_stand(desk: Desk) -> None:
    """Then nothing was changed, seen from today."""
    desk.update("update", executed=(STEP,))
    desk.update("rollback", executed=(STEP,))
    desk.update("update", attempt=2, result="failed", said="the stack is locked")
    desk.close("Refused", attempt=2)
    assert [m.to for m in desk.mailer.sent] == [APPROVER]
    assert UNTOUCHED in desk.mailer.sent[0].text


def test_the_record_is_written(desk: Desk) -> None:
    """Outcome, verdict and timeline in one document."""
    desk.close("Recovered", verdict={"verdict": "recovered", "look": 2})
    record = json.loads(desk.artifacts.read(artifact_key(NAME, 1, "record")))
    assert record["outcome"] == "Recovered"
    assert record["verdict"] == {"verdict": "recovered", "look": 2}
    assert record["incident"]["status"] == "awaiting_ok"


def test_closing_twice_is_closing_once(desk: Desk) -> None:
    """The state is retried when Lambda fails; its note is written once."""
    assert desk.close("NotOurs") == desk.close("NotOurs")
    assert len(desk.incidents.get(NAME).notes) == 1


def test_law_8_an_earlier_attempt_does_not_close_what_another_works_on(desk: Desk) -> None:
    """Redriven beside it, it is told and recorded; SLO and stack stay with the newest."""
    desk.incidents.next_attempt(NAME)
    assert desk.close("Expired")["status"] == "open"
    assert desk.incidents.get(NAME).status is Status.OPEN
    assert desk.incidents.claim_stack("dev", "another") == NAME
    assert desk.mailer.sent
