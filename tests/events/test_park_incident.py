from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from backburn.events.park_incident import park_incident, said
from backburn.incident import Status, artifact_key
from backburn.ports import Failure
from backburn.update import Update
from tests.fakes import proposals
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.incidents import FakeIncidents
from tests.fakes.mailer import FakeMailer
from tests.fakes.proposals import NOW
from tests.fakes.workflow import FakeWorkflow

NAME = proposals.incident().id
ARN = f"arn:aws:states:us-east-1:000000000000:execution:remediation:{NAME}"

PHASES = [
    {"PhaseType": "QUEUED", "PhaseStatus": "SUCCEEDED", "Contexts": [{"Message": ""}]},
    {"PhaseType": "PROVISIONING", "Contexts": [{"Message": "no such\nimage"}]},
]


class Desk:
    """A failed execution with everything around it in memory."""

    def __init__(self) -> None:
        self.incidents, self.artifacts = FakeIncidents(), FakeArtifacts()
        self.workflow, self.mailer = FakeWorkflow(), FakeMailer()
        self.incidents.open(proposals.incident())
        cause = json.dumps({"errorType": "HoneycombDenied", "errorMessage": "the key is refused"})
        failure = Failure(state="QueryTraces", error="HoneycombDenied", cause=cause)
        self.workflow.failures[NAME] = failure

    def park(self, status: str = "FAILED", attempt: int = 1, **more: Any) -> dict[str, Any]:
        """EventBridge's word about the execution."""
        case = {"incident": NAME, "attempt": attempt, "workload": "chatbot", "slo": "chat-latency"}
        detail = {"name": NAME, "executionArn": ARN, "status": status, "input": json.dumps(case)}
        return park_incident(
            detail | more, self.incidents, self.artifacts, self.workflow, self.mailer, NOW
        )

    def update(self, name: str, **fields: Any) -> None:
        """What a build wrote down."""
        kind = "apply" if name == "update" else "rollback"
        known = {"kind": kind, "effects": "e" * 64, "result": "succeeded", "started": NOW}
        update = Update.model_validate(known | fields)
        self.artifacts.write(artifact_key(NAME, 1, name), update.model_dump_json().encode())


@pytest.fixture
def desk() -> Desk:
    """Honeycomb refused our key at QueryTraces."""
    return Desk()


@pytest.mark.parametrize(
    ("status", "how"), [("FAILED", "failed"), ("TIMED_OUT", "timed out"), ("ABORTED", "aborted")]
)
def test_a_fault_parks_the_incident(desk: Desk, status: str, how: str) -> None:
    """Where it stopped and why is its reason."""
    desk.park(status)
    record = desk.incidents.get(NAME)
    assert record.status is Status.PARKED
    assert record.reason == f"{NAME} {how} at QueryTraces: HoneycombDenied: the key is refused"


def test_the_operators_are_told_both_ways_on(desk: Desk) -> None:
    """What happened, what was applied, redrive or retry."""
    desk.park()
    (mail,) = desk.mailer.told_operators()
    assert mail.subject == f"Backburn: an incident needs you ({NAME}, QueryTraces)"
    for told in (
        "the key is refused",
        "Nothing was applied",
        f"https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/{ARN}",
        f"python -m backburn retry {NAME}",
    ):
        assert told in mail.text


def test_nothing_half_applied_goes_unsaid(desk: Desk) -> None:
    """The builds' own words about what they did."""
    step = proposals.preview().bound.steps[1]
    desk.update("update", executed=(step,), missing=(proposals.SERVICE,), result="failed")
    desk.park()
    told = desk.incidents.get(NAME).notes[-1].text
    assert "apply: applied: replace TaskDefinition otel-ai-chatbot-task" in told
    assert "not applied: Service otel-ai-chatbot-service" in told


def test_an_update_without_an_end_is_a_warning(desk: Desk) -> None:
    """The build was stopped in the middle."""
    desk.update("update")
    desk.update("rollback", result="started")
    desk.park()
    told = desk.mailer.told_operators()[0].text
    assert "rollback: it was begun and its end is not recorded: look at the stack" in told


def test_a_redriven_execution_that_fails_again_is_noted_again(desk: Desk) -> None:
    """The timeline tells the two apart."""
    desk.park()
    desk.park(redriveCount=1)
    notes = [note.text for note in desk.incidents.get(NAME).notes]
    assert len(notes) == 2
    assert f"{NAME}, redriven 1 times failed at QueryTraces" in notes[1]


def test_an_older_attempt_parks_nothing(desk: Desk) -> None:
    """Its successor is being worked on."""
    desk.incidents.next_attempt(NAME)
    assert desk.park(attempt=1)["status"] == "open"
    assert desk.mailer.sent == []
    assert desk.incidents.get(NAME).status is Status.OPEN


def test_a_closed_incident_stays_closed(desk: Desk) -> None:
    """An execution that died after its work was done."""
    desk.incidents.set_status(NAME, Status.AWAITING_OK, "recovered", NOW + timedelta(1))
    desk.park()
    assert desk.incidents.get(NAME).status is Status.AWAITING_OK
    assert desk.mailer.sent == []


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("", "States.Timeout"),
        ("plain words", "States.Timeout: plain words"),
        ('"text"', 'States.Timeout: "text"'),
        ('{"errorMessage": "a\\nb"}', "States.Timeout: a b"),
        (
            json.dumps({"Build": {"Id": "deploy:1", "BuildStatus": "FAILED"}}),
            "the build deploy:1 is FAILED; its log is in CloudWatch Logs",
        ),
        (
            json.dumps(
                {"Build": {"Id": "b", "BuildStatus": "FAULT", "Logs": {"DeepLink": "https://l"}}}
            ),
            "the build b is FAULT; its log is https://l",
        ),
        (
            json.dumps({"Build": {"Id": "b", "BuildStatus": "FAILED", "Phases": PHASES}}),
            "the build b is FAILED at PROVISIONING (no such image); its log is in CloudWatch Logs",
        ),
    ],
)
def test_a_cause_becomes_a_sentence(cause: str, words: str) -> None:
    """No stack trace, no JSON of a build."""
    assert said(Failure(state="X", error="States.Timeout", cause=cause)) == words


def test_no_reason_is_said_so() -> None:
    """An aborted execution may have none."""
    assert said(Failure(state="X", error="", cause="")) == "no reason was given"
