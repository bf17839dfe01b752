"""What a sender of the webhook is answered: the real handler and adapters on moto."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from backburn import wiring
from backburn.routes import honeycomb_webhook
from tests.adapters.test_deciding_composed import BODY, NAME, deployed, mails
from tests.fakes.http import webhook

__all__ = ["deployed"]  # the fixture
pytestmark = pytest.mark.usefixtures("deployed")


def sent(body: str = BODY, delivery: str = "d1", token: str | None = "right") -> tuple[int, str]:
    """(status, body) of the answer to one delivery."""
    headers = {"x_honeycomb_webhook_delivery_id": delivery}
    if token is not None:
        headers["x_honeycomb_webhook_token"] = token
    answer = honeycomb_webhook.handler(webhook(body, **headers), None)
    return answer["statusCode"], answer["body"]


def alert(**fields: Any) -> str:
    """The burn alert with some fields changed."""
    return json.dumps(json.loads(BODY) | fields)


def executions() -> list[str]:
    """The names of all that were started."""
    machine = wiring.setting("BACKBURN_STATE_MACHINE")
    found = boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return [execution["name"] for execution in found]


@pytest.mark.parametrize("token", [None, "", "wrong", "right "])
def test_a_wrong_or_missing_token_is_401(token: str | None) -> None:
    """Before anything of the body is looked at."""
    assert sent("{", token=token)[0] == 401
    assert executions() == []


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (alert(summary="x" * 64 * 1024), 413, "65536 are taken"),
        ("{", 400, "the body is not JSON"),
        ("[]", 400, "payload_template.json.tmpl"),
        (alert(schema="v0.1.0"), 400, "payload_template.json.tmpl"),
        (alert(status="MAYBE"), 400, "must be TRIGGERED or OK"),
        (alert(sloId=""), 400, "sloId"),
    ],
)
def test_what_is_too_large_not_json_or_not_ours_is_refused_with_the_reason(
    body: str, status: int, said: str
) -> None:
    """And is not on record: sent again rightly under the same id it is taken."""
    answer = sent(body)
    assert answer[0] == status
    assert said in json.loads(answer[1])["error"]
    assert executions() == []
    assert sent()[0] == 202
    assert executions() == [NAME]


def test_an_alert_for_no_known_workload_is_202_and_told_to_the_operators() -> None:
    """Once, however often it is delivered."""
    for _ in range(2):
        assert sent(alert(sloId="of-nobody"))[0] == 202
    (mail,) = mails(wiring.setting("BACKBURN_OPERATORS_TOPIC"))
    assert "of-nobody" in mail
    assert executions() == []


def test_a_test_delivery_is_202_and_starts_nothing() -> None:
    """Nor is anybody told."""
    assert sent(alert(isTest=True))[0] == 202
    assert executions() == []
    assert mails(wiring.setting("BACKBURN_OPERATORS_TOPIC")) == []


def test_law_8_the_same_delivery_twice_is_202_twice_and_one_execution() -> None:
    """One effect."""
    assert [sent()[0], sent()[0]] == [202, 202]
    assert executions() == [NAME]
