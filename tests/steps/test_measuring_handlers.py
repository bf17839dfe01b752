"""The measuring states through the composition root: real adapters, AWS in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from backburn import wiring
from backburn.adapters.dynamodb_incidents import DynamoIncidents
from backburn.errors import Braked, BurnEnded, HoneycombDenied, NotOurs
from backburn.incident import Incident
from backburn.sli import Window
from backburn.steps import confirm_burn, diagnose, query_traces, verify
from backburn.workload import Workloads
from tests.fakes.honeycomb_http import HoneycombHttp
from tests.fakes.http_server import serving
from tests.fakes.patient import CHAT_LATENCY, chatbot
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.traffic import SLI, Chat, requests

CASE = {"incident": "chatbot-1", "attempt": 1, "workload": "chatbot", "slo": "chat-latency"}
OPENED = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=10)
BURN = Window(start=OPENED - timedelta(seconds=60), end=OPENED)
BASELINE = Window(start=OPENED - timedelta(seconds=180), end=BURN.start)
CHATBOT = chatbot(
    windows={"burn": 60, "baseline": 60, "gap": 60, "ingest_lag": 5},
    verification={"soak": 0, "drop": 0, "looks": 1, "every": 1},
)


@pytest.fixture
def honeycomb() -> FakeTelemetry:
    """A healthy service until the burn."""
    return FakeTelemetry(CHAT_LATENCY, SLI, requests(BASELINE, 2, Chat()))


@pytest.fixture(autouse=True)
def account(honeycomb: FakeTelemetry, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the stacks would have made, and the environment that they set."""
    with mock_aws(), serving(HoneycombHttp(honeycomb)) as url:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "BACKBURN_ARTIFACTS_BUCKET": "artifacts",
            "BACKBURN_INCIDENTS_TABLE": "incidents",
            "BACKBURN_WORKLOADS": "s3://artifacts/workloads.json",
            "BACKBURN_HONEYCOMB_URL": url,
            "BACKBURN_HONEYCOMB_SECRET": "honeycomb-key",
            "BACKBURN_BRAKES_PARAMETER": "/backburn/brakes",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        # The clock stands still: on a busy machine the burn must not grow old between two steps.
        monkeypatch.setattr(wiring, "now", lambda: OPENED + timedelta(seconds=10))
        _make()
        yield
    _forget()


def _make() -> None:
    _forget()
    workloads = Workloads(version=1, operators=("ops@example.com",), workloads=(CHATBOT,))
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="artifacts")
    s3.put_object(Bucket="artifacts", Key="workloads.json", Body=workloads.model_dump_json())
    boto3.client("secretsmanager").create_secret(Name="honeycomb-key", SecretString="key")
    _switch(stop=False)
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName="incidents",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    incident = {"id": "chatbot-1", "alert": "i-1", "summary": "burns", "opened": OPENED}
    known = {"workload": "chatbot", "slo": "chat-latency"}
    DynamoIncidents(dynamodb, "incidents").open(Incident.model_validate(incident | known))


def _switch(*, stop: bool) -> None:
    value = json.dumps({"stop": stop, "why": "drill"})
    boto3.client("ssm").put_parameter(
        Name="/backburn/brakes", Value=value, Type="String", Overwrite=True
    )


def _publish(percent: float, window: Window) -> None:
    names = {"ClusterName": CHATBOT.ecs.cluster, "ServiceName": CHATBOT.ecs.service}
    dimensions = [{"Name": name, "Value": value} for name, value in names.items()]
    for second in range(0, int(window.seconds), 10):
        at = window.start + timedelta(seconds=second)
        datum: Any = {"MetricName": "CPUUtilization", "Dimensions": dimensions}
        datum |= {"Timestamp": at, "Value": percent}
        boto3.client("cloudwatch").put_metric_data(Namespace="AWS/ECS", MetricData=[datum])


def _forget() -> None:
    """Let every collaborator be made anew."""
    for made in vars(wiring).values():
        clear: Callable[[], None] | None = getattr(made, "cache_clear", None)
        if clear:
            clear()


def test_a_starved_task_is_measured_diagnosed_and_confirmed(honeycomb: FakeTelemetry) -> None:
    """What each state hands to the next is enough for it."""
    honeycomb.events += requests(BURN, 2, Chat(own_ms=1500))
    _publish(40, BASELINE)
    _publish(99, BURN)
    measured = query_traces.handler(CASE, None)
    assert (measured["numbers"]["E1 bad requests (share)"], measured["plan"]["looks"]) == (1, 1)
    asked = len(honeycomb.asked)
    assert query_traces.handler(CASE, None) == measured
    assert len(honeycomb.asked) == asked, "a second try reads what the first one wrote"
    found = diagnose.handler(CASE | {"evidence": measured["evidence"]}, None)
    assert (found["cause"], found["operation"]) == ("own_cpu", "rag.vector_search")
    assert confirm_burn.handler(CASE, None)["burning"]
    json.dumps([measured, found])


def test_a_slow_dependency_is_not_ours(honeycomb: FakeTelemetry) -> None:
    """The answer is raised by its name, with its numbers in the message."""
    honeycomb.events += requests(BURN, 2, Chat(model_ms=3000))
    _publish(40, BASELINE)
    _publish(40, BURN)
    measured = query_traces.handler(CASE, None)
    with pytest.raises(NotOurs, match=r"aws\.bedrock.*E\d"):
        diagnose.handler(CASE | {"evidence": measured["evidence"]}, None)


def test_law_10_the_kill_switch_stops_an_approved_change(honeycomb: FakeTelemetry) -> None:
    """Brakes are read again before the apply."""
    honeycomb.events += requests(BURN, 2, Chat(own_ms=1500))
    _switch(stop=True)
    with pytest.raises(Braked, match="drill"):
        confirm_burn.handler(CASE, None)


def test_a_rotated_key_is_used_by_a_running_function() -> None:
    """Once the secrets are read again, and not only in its next life."""
    secrets = boto3.client("secretsmanager")
    secrets.put_secret_value(SecretId="honeycomb-key", SecretString="revoked")
    with pytest.raises(HoneycombDenied, match="unknown API key"):
        wiring.telemetry().slo("otel-ai-chatbot-backend", "chat-latency")
    secrets.put_secret_value(SecretId="honeycomb-key", SecretString="key")
    wiring._secrets.cache_clear()
    assert wiring.telemetry().slo("otel-ai-chatbot-backend", "chat-latency") == CHAT_LATENCY


def test_an_ended_burn_is_held(honeycomb: FakeTelemetry) -> None:
    """Good again before anything was applied."""
    honeycomb.events += requests(BURN, 2, Chat())
    with pytest.raises(BurnEnded, match="requests were bad"):
        confirm_burn.handler(CASE, None)


def test_a_look_is_judged_once(honeycomb: FakeTelemetry) -> None:
    """The verdict of a look is written; a retry of the state gives the same again."""
    honeycomb.events += requests(BASELINE, 2, Chat())
    honeycomb.events += requests(BURN, 2, Chat(model_ms=3000))
    query_traces.handler(CASE, None)
    event = CASE | {"look": 1, "settled_at": BURN.start.isoformat(), "change": "apply"}
    judged = verify.handler(event, None)
    assert (judged["verdict"], judged["looks_left"]) == ("unknown", 0)
    assert "still serves" in judged["reason"]
    asked = len(honeycomb.asked)
    assert (verify.handler(event, None), len(honeycomb.asked)) == (judged, asked)
    rolled_back = verify.handler(event | {"change": "rollback"}, None)
    assert rolled_back["artifact"].endswith("/verdict-rollback-1.json")
    json.dumps(judged)
