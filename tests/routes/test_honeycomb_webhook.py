from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backburn.alert import parse
from backburn.errors import Malformed, TooLarge, Unauthenticated
from backburn.incident import Status, incident_id
from backburn.routes.honeycomb_webhook import (
    NOTES,
    Outcome,
    authenticate,
    handle,
    handler,
    receive,
)
from backburn.workload import Workloads
from tests.fakes.http import webhook
from tests.fakes.incidents import FakeIncidents
from tests.fakes.mailer import FakeMailer
from tests.fakes.patient import chatbot
from tests.fakes.workflow import FakeWorkflow

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
MINE = incident_id("chatbot", "chat-latency", "i-1")


def body(**fields: Any) -> str:
    """A burn alert of the chatbot."""
    known = {
        "schema": "backburn/v1",
        "status": "TRIGGERED",
        "isTest": False,
        "instanceId": "i-1",
        "sloId": "chat-latency",
        "name": "Budget burns",
        "summary": "3 % in 5 minutes",
    }
    return json.dumps(known | fields)


class Intake:
    """The route with everything behind it in memory."""

    def __init__(self) -> None:
        self.incidents, self.workflow = FakeIncidents(), FakeWorkflow()
        self.mailer = FakeMailer()
        self.now = NOW
        self.workloads = Workloads(
            version=1, operators=("ops@example.com",), workloads=(chatbot(),)
        )

    def deliver(self, text: str | bytes, delivery: str = "d1") -> Outcome:
        """One delivery that has the right token."""
        event = webhook(text, x_honeycomb_webhook_delivery_id=delivery)
        return receive(event, self.workloads, self.incidents, self.workflow, self.mailer, self.now)


@pytest.fixture
def intake() -> Intake:
    """Nothing has happened yet."""
    return Intake()


@pytest.mark.parametrize("given", ["", "wrong", "toke", "tokens", "t\u00f6ken"])
def test_a_wrong_token_is_401(given: str) -> None:
    """It is compared whole."""
    with pytest.raises(Unauthenticated):
        authenticate(webhook(body(), x_honeycomb_webhook_token=given), ["token"])


def test_a_missing_token_is_401() -> None:
    """No header is a wrong header."""
    with pytest.raises(Unauthenticated):
        authenticate(webhook(body()), ["token"])


def test_an_empty_secret_lets_nobody_in() -> None:
    """Honeycomb allows an empty secret; we do not."""
    with pytest.raises(Unauthenticated):
        authenticate(webhook(body(), x_honeycomb_webhook_token=""), ["", ""])


def test_the_right_token_is_let_in() -> None:
    """Nothing else is asked of a sender."""
    authenticate(webhook(body(), x_honeycomb_webhook_token="token"), ["token"])


def test_law_8_the_token_before_the_rotation_is_let_in() -> None:
    """Honeycomb does not repeat what was answered 401."""
    for given in ("new", "old"):
        authenticate(webhook(body(), x_honeycomb_webhook_token=given), ["new", "old"])
    with pytest.raises(Unauthenticated):
        authenticate(webhook(body(), x_honeycomb_webhook_token="older"), ["new", "old"])


def test_whoever_has_the_new_token_does_not_cost_a_question_for_the_old() -> None:
    """The usual delivery reads one secret."""
    tokens = iter(["new", "old"])
    authenticate(webhook(body(), x_honeycomb_webhook_token="new"), tokens)
    assert next(tokens) == "old"


def test_above_64_kib_is_413(intake: Intake) -> None:
    """Nothing of it is recorded."""
    with pytest.raises(TooLarge):
        intake.deliver(body(summary="x" * 64 * 1024))
    assert intake.deliver(body()).incident == MINE


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": "v0.1.0"}', b"\xff"])
def test_what_is_not_json_or_not_ours_is_400(intake: Intake, text: str | bytes) -> None:
    """With the reason, and without a trace."""
    if isinstance(text, bytes):
        event = webhook(b"") | {"body": "/w==", "isBase64Encoded": True}
        with pytest.raises(Malformed):
            receive(event, intake.workloads, intake.incidents, intake.workflow, intake.mailer, NOW)
    else:
        with pytest.raises(Malformed):
            intake.deliver(text)
    assert intake.incidents.outcomes == {}


def test_an_unknown_workload_is_recorded_and_told_to_the_operators(intake: Intake) -> None:
    """Somebody set up an alert that nobody is set up for."""
    became = intake.deliver(body(sloId="of-nobody"))
    assert became.outcome == "no workload names the SLO of-nobody: the operators are told"
    assert intake.incidents.outcomes == {"d1": became.outcome}
    assert not intake.workflow.started
    (mail,) = intake.mailer.told_operators()
    assert "of-nobody" in mail.subject
    assert "3 % in 5 minutes" in mail.text


def test_an_unknown_workload_is_told_once_an_hour(intake: Intake) -> None:
    """A flapping alert must not fill a mailbox; every delivery is still on record."""
    for minutes, delivery in enumerate(("d1", "d2", "d3")):
        intake.now = NOW + timedelta(minutes=minutes)
        intake.deliver(body(sloId="of-nobody"), delivery)
    intake.deliver(body(sloId="of-somebody-else"), "d4")
    assert [mail.subject.split("(")[-1] for mail in intake.mailer.told_operators()] == [
        "of-nobody)",
        "of-somebody-else)",
    ]
    assert intake.incidents.outcomes["d2"].endswith("the operators were told within the hour")
    intake.now = NOW + timedelta(hours=1)
    assert intake.deliver(body(sloId="of-nobody"), "d5").outcome.endswith("are told")


def test_law_8_a_mail_that_failed_is_tried_again(intake: Intake) -> None:
    """The hour is counted for the delivery, so that its repetition may send."""

    class Broken(FakeMailer):
        def to_operators(self, subject: str, text: str) -> None:
            raise RuntimeError("throttled")

    alert, mailer, intake.mailer = parse(body(sloId="of-nobody").encode()), intake.mailer, Broken()
    with pytest.raises(RuntimeError):
        intake.deliver(body(sloId="of-nobody"))
    became = handle(
        "d1", alert, intake.workloads, intake.incidents, intake.workflow, mailer, intake.now
    )
    assert became.outcome.endswith("the operators are told")
    assert len(mailer.told_operators()) == 1


@pytest.mark.parametrize("slo", ["chat-latency", ""])
def test_a_test_delivery_starts_nothing(intake: Intake, slo: str) -> None:
    """Honeycomb's Test button must never remediate."""
    became = intake.deliver(body(isTest=True, sloId=slo))
    assert became == Outcome("a test: nothing is started")
    assert not intake.workflow.started
    assert not intake.incidents.records
    assert not intake.mailer.sent


def test_a_burn_opens_one_incident_and_starts_one_execution(intake: Intake) -> None:
    """With the input that never differs between deliveries."""
    assert intake.deliver(body()).incident == MINE
    record = intake.incidents.get(MINE)
    assert (record.status, record.summary, record.opened) == (Status.OPEN, "3 % in 5 minutes", NOW)
    expected = {"incident": MINE, "attempt": 1, "workload": "chatbot", "slo": "chat-latency"}
    assert intake.workflow.started == {MINE: expected}


def test_law_8_the_same_delivery_twice_has_one_effect(intake: Intake) -> None:
    """Honeycomb may repeat a delivery."""
    intake.deliver(body())
    assert intake.deliver(body()).outcome == "this delivery was recorded before"
    assert len(intake.workflow.started) == 1


def test_law_8_the_same_firing_in_another_delivery_has_one_effect(intake: Intake) -> None:
    """The execution is named after the firing, not after the delivery."""
    intake.deliver(body())
    assert intake.deliver(body(), "d2").incident == MINE
    assert len(intake.workflow.started) == 1


def test_a_delivery_without_an_id_is_known_by_its_body(intake: Intake) -> None:
    """An id is never required, and never trusted to be short."""
    intake.deliver(body(), "")
    assert intake.deliver(body(), "x" * 500).outcome == "this delivery was recorded before"


def test_law_8_a_delivery_is_recorded_before_anything_else(intake: Intake) -> None:
    """What breaks off after that is found by the sweep."""

    class Broken(FakeWorkflow):
        def start(self, name: str, payload: object) -> None:
            raise RuntimeError("throttled")

    intake.workflow = Broken()
    with pytest.raises(RuntimeError):
        intake.deliver(body())
    assert intake.incidents.unsettled_deliveries(NOW.replace(year=2027)) == [("d1", body())]


def test_another_firing_is_noted_on_the_open_incident(intake: Intake) -> None:
    """At most one incident is open per SLO."""
    intake.deliver(body())
    became = intake.deliver(body(instanceId="i-2", summary="worse"), "d2")
    assert became == Outcome("noted on the open incident", MINE)
    note = intake.incidents.get(MINE).notes[0].text
    assert note == "another alert of the SLO fired meanwhile (i-2): worse"
    assert len(intake.workflow.started) == 1


def test_law_8_a_flapping_alert_does_not_outgrow_the_incidents_record(intake: Intake) -> None:
    """An item that is full takes no note and no status: nobody could close the incident."""
    intake.deliver(body())
    for i in range(NOTES + 20):
        became = intake.deliver(body(instanceId=f"other-{i}"), f"other-{i}")
    assert became == Outcome("recorded; the open incident's timeline is full", MINE)
    assert len(intake.incidents.get(MINE).notes) == NOTES
    assert intake.incidents.unsettled_deliveries(NOW.replace(year=2027)) == []


def test_the_same_firing_never_reopens_its_incident(intake: Intake) -> None:
    """Burn alerts stay triggered long after a cure."""
    intake.deliver(body())
    intake.incidents.set_status(MINE, Status.CLOSED, "rejected", NOW)
    became = intake.deliver(body(), "d2")
    assert became.outcome == "closed: the same firing does not reopen it"
    assert intake.incidents.get(MINE).status is Status.CLOSED


def test_an_ok_recovers_what_awaits_it(intake: Intake) -> None:
    """Honeycomb's own word is the last line of the record."""
    intake.deliver(body())
    intake.incidents.set_status(MINE, Status.AWAITING_OK, "recovered", NOW)
    became = intake.deliver(body(status="ok", summary="back to normal"), "d2")
    assert became == Outcome("the OK is noted", MINE)
    record = intake.incidents.get(MINE)
    assert record.status is Status.RECOVERED
    assert record.notes[-1].text == "Honeycomb says OK: back to normal"


@pytest.mark.parametrize("status", [Status.OPEN, Status.PARKED, Status.CLOSED])
def test_an_ok_decides_nothing_else(intake: Intake, status: Status) -> None:
    """Recovery is measured, not believed."""
    intake.deliver(body())
    intake.incidents.set_status(MINE, status, "", NOW)
    intake.deliver(body(status="OK"), "d2")
    record = intake.incidents.get(MINE)
    assert record.status is status
    assert record.ok_came


def test_an_ok_of_an_unknown_alert_is_harmless(intake: Intake) -> None:
    """Its firing may have been before our time."""
    assert intake.deliver(body(status="OK")).incident == ""
    assert not intake.incidents.records


def test_law_8_what_cannot_be_handled_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Honeycomb repeats a 503 that has Retry-After, and no other failure of ours."""
    monkeypatch.delenv("BACKBURN_WEBHOOK_SECRET", raising=False)
    answer = handler(webhook(body()), None)
    assert answer["statusCode"] == 503
    assert answer["headers"]["retry-after"] == "1"
    assert "BACKBURN" not in answer["body"]
