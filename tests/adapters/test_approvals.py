"""The approvals table: the fake and DynamoDB keep the same promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backburn.adapters.dynamodb_approvals import DynamoApprovals
from backburn.decision import Choice, Decision, Link, Request, code_hash, link_hash
from backburn.ports import Approvals
from tests.fakes.approvals import FakeApprovals

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
LINK = "a" * 64


@pytest.fixture(params=["fake", "dynamodb"])
def approvals(request: pytest.FixtureRequest) -> Approvals:
    """An empty table."""
    if request.param == "fake":
        return FakeApprovals()
    client, table = request.getfixturevalue("approvals_table")
    return DynamoApprovals(client, table)


def asked(**fields: Any) -> Request:
    """A request of one execution."""
    known = {
        "execution": "chatbot-1",
        "incident": "chatbot-1",
        "attempt": 1,
        "workload": "chatbot",
        "generation": "g1",
        "token": "token-1",
        "proposal": "incidents/chatbot-1/1/proposal.json",
        "digest": "d" * 64,
        "expiry": LATER,
    }
    return Request.model_validate(known | fields)


def link(link: str = LINK, **fields: Any) -> Link:
    """A personal link."""
    known = {"link": link, "code": "c" * 64, "approver": "one@example.com"}
    known |= {"execution": "chatbot-1", "generation": "g1"}
    return Link.model_validate(known | fields)


def decision(approver: str = "one@example.com", choice: Choice = Choice.APPROVE) -> Decision:
    """A decision."""
    return Decision(
        incident="chatbot-1",
        attempt=1,
        decision=choice,
        digest="d" * 64,
        approver=approver,
        expiry=LATER,
        at=NOW,
        mac="00",
    )


def test_what_was_asked_is_found(approvals: Approvals) -> None:
    """Request and links come out as they went in."""
    other = link("b" * 64, approver="two@example.com")
    approvals.ask(asked(), [link(), other], NOW)
    assert approvals.request("chatbot-1") == asked()
    assert approvals.link(LINK) == link()
    assert approvals.link("b" * 64) == other
    assert approvals.decision("chatbot-1") is None


def test_what_was_not_asked_is_a_key_error(approvals: Approvals) -> None:
    """A guessed link leads nowhere."""
    with pytest.raises(KeyError):
        approvals.link("f" * 64)
    with pytest.raises(KeyError):
        approvals.request("chatbot-9")


def test_law_5_tries_are_counted_and_run_out(approvals: Approvals) -> None:
    """The number of each try, then 0 for ever; a guessed link has none."""
    approvals.ask(asked(), [link()], NOW)
    assert [approvals.spend_try(LINK, 3) for _ in range(5)] == [1, 2, 3, 0, 0]
    assert approvals.link(LINK).tries == 3
    assert approvals.spend_try("f" * 64, 3) == 0


def test_law_5_the_first_decision_stands(approvals: Approvals) -> None:
    """The second approver is told what stands."""
    approvals.ask(asked(), [link()], NOW)
    first, second = decision(), decision("two@example.com", Choice.REJECT)
    assert approvals.decide("chatbot-1", "g1", first) == first
    assert approvals.decide("chatbot-1", "g1", second) == first
    assert approvals.decision("chatbot-1") == first


def test_law_5_a_newer_generation_voids_the_older_one(approvals: Approvals) -> None:
    """A redriven RequestApproval: old links decide nothing, and what they decided is gone."""
    approvals.ask(asked(), [link()], NOW)
    approvals.decide("chatbot-1", "g1", decision())
    approvals.ask(asked(generation="g2", token="token-2"), [link("b" * 64, generation="g2")], NOW)
    assert approvals.decision("chatbot-1") is None
    assert approvals.undelivered(LATER) == []
    with pytest.raises(LookupError):
        approvals.decide("chatbot-1", "g1", decision())
    assert approvals.decide("chatbot-1", "g2", decision()) == decision()


def test_a_decision_waits_until_it_is_delivered(approvals: Approvals) -> None:
    """The sweep finds what was written and not delivered, and nothing else."""
    approvals.ask(asked(), [link()], NOW)
    assert approvals.undelivered(LATER) == []
    approvals.decide("chatbot-1", "g1", decision())
    assert approvals.undelivered(NOW) == []
    assert approvals.undelivered(LATER) == ["chatbot-1"]
    approvals.delivered("chatbot-1")
    assert approvals.undelivered(LATER) == []
    assert approvals.decision("chatbot-1") == decision()


def test_law_5_the_table_knows_neither_link_nor_code(approvals_table: tuple[Any, str]) -> None:
    """Whoever reads the table cannot decide with it."""
    client, name = approvals_table
    secret, code = "the-secret-of-the-link", "123456"
    hashed = link(link_hash(secret), code=code_hash(code, secret))
    DynamoApprovals(client, name).ask(asked(), [hashed], NOW)
    everything = str(client.scan(TableName=name)["Items"])
    assert secret not in everything
    assert code not in everything
