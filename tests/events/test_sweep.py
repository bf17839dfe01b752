from __future__ import annotations

import json
from datetime import timedelta

import pytest

from backburn.decision import Choice, Decision, Request
from backburn.events.sweep import SweepIncomplete, sweep
from backburn.incident import Status, incident_id
from backburn.workload import Workloads
from tests.fakes import proposals
from tests.fakes.approvals import FakeApprovals
from tests.fakes.incidents import FakeIncidents
from tests.fakes.mailer import FakeMailer
from tests.fakes.patient import chatbot
from tests.fakes.proposals import NOW
from tests.fakes.workflow import FakeWorkflow

BODY = {"schema": "backburn/v1", "status": "TRIGGERED", "instanceId": "i-1", "sloId": "s"}
MINUTE = timedelta(minutes=1)


class Yard:
    """Everything the sweep looks at, in memory."""

    def __init__(self) -> None:
        self.incidents, self.approvals = FakeIncidents(), FakeApprovals()
        self.workflow, self.mailer = FakeWorkflow("token-1"), FakeMailer()
        workload = chatbot(slos=["s", "t"])
        self.workloads = Workloads(version=1, operators=("o@example.com",), workloads=(workload,))

    def sweep(self, after: timedelta = MINUTE) -> dict[str, int]:
        """One sweep, so long after NOW."""
        return sweep(
            self.workloads,
            self.incidents,
            self.approvals,
            self.workflow,
            self.mailer,
            NOW + after,
        )

    def decide(self, choice: Choice = Choice.APPROVE, execution: str = "chatbot-1") -> None:
        """A decision that was written and not delivered."""
        fields = {"incident": "chatbot-1", "attempt": 1, "digest": "d", "expiry": NOW + MINUTE}
        request = {"execution": execution, "workload": "chatbot", "generation": "g"}
        request |= {"token": "token-1", "proposal": "p"}
        self.approvals.ask(Request.model_validate(fields | request), [], NOW)
        decision = {"decision": choice, "approver": "one@example.com", "at": NOW, "reason": "no"}
        made = Decision.model_validate(fields | decision)
        self.approvals.decide(execution, "g", made)


@pytest.fixture
def yard() -> Yard:
    """Nothing is left over."""
    return Yard()


def test_law_8_a_delivery_that_broke_off_is_finished(yard: Yard) -> None:
    """The execution starts as if the route had gone on."""
    yard.incidents.record_delivery("d1", json.dumps(BODY), NOW)
    assert yard.sweep()["deliveries"] == 1
    assert list(yard.workflow.started) == [incident_id("chatbot", "s", "i-1")]
    assert yard.sweep()["deliveries"] == 0


def test_a_delivery_in_hand_is_left_alone(yard: Yard) -> None:
    """Its own request may still be at it."""
    yard.incidents.record_delivery("d1", json.dumps(BODY), NOW)
    assert yard.sweep(timedelta(seconds=10))["deliveries"] == 0


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (Choice.APPROVE, {"decision": "approve"}),
        (Choice.REJECT, ("Rejected", "one@example.com: no")),
    ],
)
def test_law_8_a_decision_that_was_not_delivered_is_sent(
    yard: Yard, choice: Choice, sent: object
) -> None:
    """Within a minute, and once."""
    yard.incidents.open(proposals.incident("chatbot-1"))
    yard.decide(choice)
    assert yard.sweep()["decisions"] == 1
    assert yard.workflow.answers == {"token-1": sent}
    assert yard.sweep()["decisions"] == 0


def test_a_decision_nobody_waits_for_is_given_up(yard: Yard) -> None:
    """It is noted, and not tried for ever."""
    yard.incidents.open(proposals.incident("chatbot-1"))
    yard.workflow = FakeWorkflow()
    yard.decide()
    yard.sweep()
    assert "found nobody waiting" in yard.incidents.get("chatbot-1").notes[-1].text
    assert yard.sweep()["decisions"] == 0


def test_a_window_that_passed_without_an_ok_closes(yard: Yard) -> None:
    """Nothing depends on Honeycomb's OK."""
    yard.incidents.open(proposals.incident("chatbot-1"))
    yard.incidents.set_status("chatbot-1", Status.AWAITING_OK, "recovered", NOW)
    assert yard.sweep(timedelta(minutes=59))["closed"] == 0
    assert yard.sweep(timedelta(minutes=61))["closed"] == 1
    record = yard.incidents.get("chatbot-1")
    assert record.status is Status.RECOVERED
    assert "without an OK" in record.reason


def test_law_8_an_incident_that_went_on_is_not_closed_by_a_lagging_index(yard: Yard) -> None:
    """Closing it would give its SLO and stack free under a running attempt."""
    yard.incidents.open(proposals.incident("chatbot-1"))
    yard.incidents.set_status("chatbot-1", Status.AWAITING_OK, "recovered", NOW)
    yard.incidents.next_attempt("chatbot-1")
    yard.incidents._awaiting["chatbot-1"] = NOW
    assert yard.sweep(timedelta(minutes=61))["closed"] == 0
    assert yard.incidents.get("chatbot-1").status is Status.OPEN


def test_law_8_one_failure_does_not_stop_the_others(yard: Yard) -> None:
    """What fails is named, alarms, and is tried again."""
    yard.incidents.record_delivery("d1", "{}", NOW)
    yard.incidents.record_delivery("d2", json.dumps(BODY), NOW)
    yard.incidents.open(proposals.incident("chatbot-1"))
    yard.decide()
    with pytest.raises(SweepIncomplete, match="delivery d1"):
        yard.sweep()
    assert len(yard.workflow.started) == 1
    assert len(yard.workflow.answers) == 1
