from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backburn.decision import (
    Choice,
    Decision,
    code_hash,
    generation,
    link_hash,
    link_secret,
)
from tests.fakes.mac_key import FakeMacKey

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
DIGEST = "d" * 64
RIGHT: dict[str, Any] = {
    "incident": "chatbot-1",
    "attempt": 1,
    "digest": DIGEST,
    "approvers": ("one@example.com",),
}


def decision(**fields: Any) -> Decision:
    """An approval."""
    known = {
        "incident": "chatbot-1",
        "attempt": 1,
        "decision": Choice.APPROVE,
        "digest": DIGEST,
        "approver": "one@example.com",
        "expiry": NOW + timedelta(hours=1),
        "at": NOW,
    }
    return Decision.model_validate(known | fields)


@pytest.mark.parametrize(
    "changed",
    [
        {"incident": "chatbot-2"},
        {"attempt": 2},
        {"decision": Choice.REJECT},
        {"digest": "e" * 64},
        {"approver": "two@example.com"},
        {"expiry": NOW + timedelta(hours=2)},
        {"at": NOW + timedelta(seconds=1)},
    ],
)
def test_law_5_the_mac_binds_everything_that_authorises(changed: dict[str, Any]) -> None:
    """Whoever changes one field of a decision has another message."""
    key = FakeMacKey()
    signed = decision().signed(key.generate(decision().message()))
    assert key.verify(signed.message(), signed.mac_bytes())
    forged = signed.model_copy(update=changed)
    assert not key.verify(forged.message(), forged.mac_bytes())


def test_the_message_is_versioned_and_small() -> None:
    """Another encoding never compares; KMS takes 4096 bytes."""
    longest = decision(approver=f"{'a' * 240}@example.com", incident="chatbot-" + "0" * 60)
    assert b'"schema":"backburn/decision/v1"' in longest.message()
    assert len(longest.message()) < 4096


def test_the_same_moment_in_another_zone_is_the_same_json() -> None:
    """A decision read back from its table has the MAC it was written with."""
    signed = decision().signed(b"\x01\x02")
    again = Decision.model_validate_json(signed.model_dump_json())
    assert again.message() == signed.message()
    assert again.mac_bytes() == b"\x01\x02"


@pytest.mark.parametrize("mac", ["", "zz", "0"])
def test_a_mac_that_is_none_is_empty(mac: str) -> None:
    """It is refused, not an exception."""
    assert decision(mac=mac).mac_bytes() == b""


@pytest.mark.parametrize(
    ("made", "wanted", "said"),
    [
        ({"decision": Choice.REJECT}, {}, "one@example.com rejected it"),
        ({}, {"incident": "chatbot-2"}, "the decision is about chatbot-1, attempt 1"),
        ({}, {"attempt": 2}, "the decision is about chatbot-1, attempt 1"),
        ({}, {"digest": "e" * 64}, "approved was proposal dddddddddddd, not eeeeeeeeeeee"),
        ({}, {"approvers": ("two@example.com",)}, "one@example.com is no approver"),
        ({"at": NOW + timedelta(hours=1)}, {}, "after its expiry"),
    ],
)
def test_law_2_another_decision_does_not_allow_the_apply(
    made: dict[str, Any], wanted: dict[str, Any], said: str
) -> None:
    """The objection says what is wrong."""
    assert said in str(decision(**made).objection(**(RIGHT | wanted)))


def test_the_right_decision_has_no_objection() -> None:
    """It was approved, this proposal, in time, by an approver."""
    assert decision().objection(**RIGHT) is None


def test_law_5_links_are_long_codes_are_six_digits() -> None:
    """Unguessable, and short enough to type."""
    secret = link_secret(random.Random(1).randbytes)
    assert len(secret.link) == 43
    assert secret.link.replace("-", "").replace("_", "").isalnum()
    assert len(secret.code) == 6
    assert secret.code.isdigit()


def test_a_small_code_keeps_its_zeros() -> None:
    """Six digits, always."""
    assert link_secret(lambda size: b"\0" * size).code == "000000"


def test_law_5_a_code_is_hashed_with_its_link() -> None:
    """The same code of another link is another hash."""
    assert code_hash("123456", "a") != code_hash("123456", "b")
    assert link_hash("a") != link_hash("b")


def test_another_token_is_another_generation() -> None:
    """And the token cannot be read from its name."""
    assert generation("token-1") != generation("token-2")
    assert "token" not in generation("token-1")
