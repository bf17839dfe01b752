"""SLOs on the data, and burn alerts that fire and end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from sandbox.honeycomb.delivery import Deliveries
from tests.sandbox.honeycomb.conftest import DATASET, Api, Receiver

TEMPLATE = (
    '{"status":"{{ .Alert.Status }}","test":{{ .Alert.IsTest }},"slo":"{{ .SLO.ID }}",'
    '"instance":"{{ .Alert.InstanceID }}","name":{{ toJson .Name }},'
    '"datasets":{{ toJson .Datasets }},"service":{{ toJson .Vars.service }}}'
)
BODIES: dict[str, dict[str, Any]] = {
    "recipient": {
        "type": "webhook",
        "details": {
            "webhook_name": "backburn",
            "webhook_secret": "token",
            "webhook_headers": [{"header": "X-Env", "value": "test"}],
            "webhook_payloads": {
                "template_variables": [{"name": "service", "default_value": "none"}],
                "payload_templates": {"budget_rate": {"body": TEMPLATE}},
            },
        },
    },
    "slo": {
        "name": "Fast enough",
        "sli": {"alias": "sli.fast"},
        "time_period_days": 7,
        "target_per_million": 900_000,
    },
    "alert": {
        "alert_type": "budget_rate",
        "budget_rate_window_minutes": 60,
        "budget_rate_decrease_threshold_per_million": 500_000,
    },
}


def build(api: Api, url: str = "http://127.0.0.1:9/hook") -> dict[str, Any]:
    """A recipient, an SLI, an SLO and a burn alert, all made over the API."""
    api.send({"duration_ms": 1.0}, ago=100_000)

    def post(path: str, body: Any) -> Any:
        answer = api.client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    recipient = json.loads(json.dumps(BODIES["recipient"]))
    recipient["details"]["webhook_url"] = url
    made = {"recipient": post("/1/recipients", recipient)}
    sli = {"alias": "sli.fast", "expression": "IF(EXISTS($duration_ms), LTE($duration_ms, 100))"}
    post(f"/1/derived_columns/{DATASET}", sli)
    made["slo"] = post(f"/1/slos/{DATASET}", BODIES["slo"])
    variables = {"variables": [{"name": "service", "value": "checkout"}]}
    alert = BODIES["alert"] | {
        "slo": {"id": made["slo"]["id"]},
        "recipients": [{"id": made["recipient"]["id"], "details": variables}],
    }
    made["alert"] = post(f"/1/burn_alerts/{DATASET}", alert)
    return made


def requests(api: Api, good: int, bad: int, ago: float) -> None:
    """Requests of which some are too slow."""
    api.send(*[{"duration_ms": 10.0}] * good, *[{"duration_ms": 500.0}] * bad, ago=ago)


def deliver(api: Api) -> list[str]:
    """Evaluate and send as the background does; the outcomes."""

    async def nothing(_seconds: float) -> None:
        """Do not wait between retries."""

    async def send() -> list[str]:
        async with httpx.AsyncClient(verify=False) as client:
            deliveries = Deliveries(api.standin.objects, api.standin.pages, client, nothing)
            prepared = [d for f in api.standin.evaluate() for d in deliveries.prepare(f)]
            return [(await deliveries.send(delivery))["outcome"] for delivery in prepared]

    return asyncio.run(send())


def test_an_alert_fires_once_and_ends_with_the_same_instance(api: Api, receiver: Receiver) -> None:
    """Budget: 10 % of 200 is 20. Nine bad are 45 %, ten are 50 % and fire."""
    made = build(api, receiver.url)
    requests(api, 180, 9, ago=60)
    assert deliver(api) == []
    requests(api, 9, 1, ago=30)
    assert deliver(api) == ["delivered"]
    assert deliver(api) == []
    shown = api.client.get(f"/1/burn_alerts/{DATASET}/{made['alert']['id']}").json()
    assert shown["triggered"] is True
    api.clock.now += 3600
    requests(api, 10, 0, ago=60)
    assert deliver(api) == ["delivered"]
    (fired_headers, fired), (over_headers, over) = receiver.got
    instance = json.loads(fired)["instance"]
    assert json.loads(fired) == {
        "status": "TRIGGERED",
        "test": False,
        "slo": made["slo"]["id"],
        "instance": instance,
        "name": "Fast enough",
        "datasets": [DATASET],
        "service": "checkout",
    }
    assert json.loads(over) == json.loads(fired) | {"status": "OK"}
    assert fired_headers["x-honeycomb-webhook-token"] == "token"
    assert fired_headers["x-env"] == "test"
    assert fired_headers["content-type"] == "application/json"
    ids = {h["x-honeycomb-webhook-delivery-id"] for h in (fired_headers, over_headers)}
    assert len(ids) == 2


def test_the_next_firing_is_another_instance(api: Api, receiver: Receiver) -> None:
    """Unique for each firing."""
    build(api, receiver.url)
    for _ in range(2):
        requests(api, 10, 10, ago=30)
        deliver(api)
        api.clock.now += 3700
        deliver(api)
    instances = [json.loads(body)["instance"] for _, body in receiver.got]
    assert len(instances) == 4
    assert len(set(instances)) == 2


def test_events_the_sli_is_null_for_do_not_count(api: Api) -> None:
    """Neither good nor bad."""
    made = build(api)
    requests(api, 98, 1, ago=60)
    api.send(*[{"name": "x"}] * 500)
    shown = api.client.get(f"/1/slos/{DATASET}/{made['slo']['id']}?detailed").json()
    assert {name: shown[name] for name in ("compliance", "budget_remaining", "status")} == {
        "compliance": 99.0,
        "budget_remaining": 90.0,
        "status": "normal",
    }
    assert shown["burn_rate"] == pytest.approx(1 / 99 / 0.1, abs=1e-4)


def test_detailed_values_lag_by_five_minutes(api: Api) -> None:
    """As Honeycomb's do."""
    made = build(api)
    path = f"/1/slos/{DATASET}/{made['slo']['id']}?detailed=true"
    requests(api, 9, 0, ago=60)
    assert api.client.get(path).json()["compliance"] == 100.0
    requests(api, 0, 10, ago=30)
    assert api.client.get(path).json()["compliance"] == 100.0
    api.clock.now += 301
    assert api.client.get(path).json()["compliance"] == 50.0


@pytest.mark.parametrize(
    ("answers", "outcome", "attempts"),
    [
        ([(200, {})], "delivered", 1),
        ([(502, {}), (408, {}), (204, {})], "delivered", 3),
        ([(503, {"Retry-After": "1"}), (429, {"Retry-After": "1"})], "delivered", 3),
        ([(502, {})] * 9, "failed", 4),
        ([(503, {})], "failed", 1),
        ([(500, {})], "failed", 1),
        ([(401, {})], "failed", 1),
    ],
)
def test_only_some_failures_are_retried(
    api: Api,
    receiver: Receiver,
    answers: list[tuple[int, dict[str, str]]],
    outcome: str,
    attempts: int,
) -> None:
    """At most three times, always with the same delivery id."""
    build(api, receiver.url)
    receiver.answers = answers
    requests(api, 0, 10, ago=30)
    assert deliver(api) == [outcome]
    assert len(receiver.got) == attempts
    assert len({headers["x-honeycomb-webhook-delivery-id"] for headers, _ in receiver.got}) == 1
    (logged,) = api.client.get("/_sandbox/deliveries").json()
    assert (logged["outcome"], len(logged["attempts"])) == (outcome, attempts)


def test_an_unreachable_receiver_is_tried_four_times(api: Api) -> None:
    """A refused connection is safe to repeat."""
    build(api, "http://127.0.0.1:9/hook")
    requests(api, 0, 10, ago=30)
    assert deliver(api) == ["failed"]
    (logged,) = api.client.get("/_sandbox/deliveries").json()
    assert len(logged["attempts"]) == 4


def test_a_payload_that_is_not_json_is_logged_and_not_sent(api: Api, receiver: Receiver) -> None:
    """The delivery fails with Honeycomb's words."""
    made = build(api, receiver.url)
    body = {"type": "webhook", "details": made["recipient"]["details"]}
    templates = body["details"]["webhook_payloads"]["payload_templates"]
    templates["budget_rate"]["body"] = '{"datasets": {{ .Datasets }} }'
    path = f"/1/recipients/{made['recipient']['id']}"
    assert api.client.put(path, json=body).status_code == 200
    requests(api, 0, 10, ago=30)
    assert deliver(api) == ["failed"]
    (logged,) = api.client.get("/_sandbox/deliveries").json()
    assert "Failed to send" in logged["attempts"][0]["error"]
    assert receiver.got == []


def test_a_recipient_without_a_template_gets_the_default_body(api: Api, receiver: Receiver) -> None:
    """Which names no SLO id of its own, only the link."""
    made = build(api, receiver.url)
    details = {"webhook_name": "plain", "webhook_url": receiver.url}
    path = f"/1/recipients/{made['recipient']['id']}"
    api.client.put(path, json={"type": "webhook", "details": details})
    requests(api, 0, 10, ago=30)
    deliver(api)
    ((headers, body),) = receiver.got
    assert "x-honeycomb-webhook-token" not in headers
    sent = json.loads(body)
    assert (sent["version"], sent["status"], sent["is_test"]) == ("v0.1.0", "TRIGGERED", False)
    assert sent["slo_url"].endswith(f"/slo/{made['slo']['id']}")


def test_the_test_button_sends_a_test(api: Api, receiver: Receiver) -> None:
    """With IsTest true, a real id, and no effect on the alert."""
    made = build(api, receiver.url)
    answer = api.client.post(f"/1/recipients/{made['recipient']['id']}/test").json()
    assert (answer["outcome"], answer["is_test"]) == ("delivered", True)
    ((_, body),) = receiver.got
    sent = json.loads(body)
    assert (sent["test"], sent["status"], sent["slo"]) == (True, "TRIGGERED", made["slo"]["id"])
    shown = api.client.get(f"/1/burn_alerts/{DATASET}/{made['alert']['id']}").json()
    assert shown["triggered"] is False


def test_a_delivery_can_be_sent_again_under_its_id(api: Api, receiver: Receiver) -> None:
    """Honeycomb may deliver twice; a receiver must be testable for it."""
    made = build(api, receiver.url)
    sent = api.client.post(f"/1/recipients/{made['recipient']['id']}/test").json()
    api.client.post(f"/_sandbox/deliveries/{sent['id']}/redeliver")
    ids = [headers["x-honeycomb-webhook-delivery-id"] for headers, _ in receiver.got]
    assert ids == [sent["id"]] * 2
