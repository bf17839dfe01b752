"""Webhook, approval route, sweep and desk as they are deployed: real handlers and adapters on moto.

What the fakes cannot show: that wiring.py hands out what the handlers need, under the names that
the stacks set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns import sns_backends

from backburn import wiring
from backburn.__main__ import main
from backburn.events import park_incident, sweep
from backburn.incident import artifact_key, incident_id
from backburn.routes import approval, honeycomb_webhook
from backburn.steps import request_approval
from backburn.workload import Workloads
from tests.fakes import proposals
from tests.fakes.http import approval as approval_event
from tests.fakes.http import webhook
from tests.fakes.patient import chatbot

NAME = incident_id("chatbot", "chat-latency", "i-1")
BODY = json.dumps(
    {"schema": "backburn/v1", "status": "TRIGGERED", "instanceId": "i-1", "sloId": "chat-latency"}
)


@pytest.fixture
def deployed(
    incidents_table: tuple[Any, str],
    approvals_table: tuple[Any, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[dict[str, str]]:
    """Everything the stacks make for us, and its addresses in the environment."""
    topics = {t: boto3.client("sns").create_topic(Name=t)["TopicArn"] for t in ("ops", "one")}
    key = boto3.client("kms").create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")
    definition = {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}}
    machine = boto3.client("stepfunctions").create_state_machine(
        name="remediation",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::123456789012:role/r",
    )
    token = boto3.client("secretsmanager").create_secret(Name="token", SecretString="right\n")
    boto3.client("ssm").put_parameter(Name="/brakes", Value='{"stop": false}', Type="String")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="artifacts")
    workload = chatbot(approvers=["one@example.com"])
    workloads = Workloads(version=1, operators=("ops@example.com",), workloads=(workload,))
    s3.put_object(Bucket="artifacts", Key="w.json", Body=workloads.model_dump_json().encode())
    environment = {
        "INCIDENTS_TABLE": incidents_table[1],
        "APPROVALS_TABLE": approvals_table[1],
        "ARTIFACTS_BUCKET": "artifacts",
        "WORKLOADS": "s3://artifacts/w.json",
        "MAC_KEY": key["KeyMetadata"]["Arn"],
        "STATE_MACHINE": machine["stateMachineArn"],
        "WEBHOOK_SECRET": token["ARN"],
        "API_URL": "https://api.example.com",
        "OPERATORS_TOPIC": topics["ops"],
        "APPROVER_TOPICS": json.dumps({"one@example.com": topics["one"]}),
        "BRAKES_PARAMETER": "/brakes",
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"BACKBURN_{name}", value)
    forget()
    yield topics
    forget()


def forget() -> None:
    """A new process."""
    for made in vars(wiring).values():
        if hasattr(made, "cache_clear"):
            made.cache_clear()


def mails(topic: str) -> list[str]:
    """What was published on a topic."""
    sent = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].topics[topic].sent_notifications
    return [notification[1] for notification in sent]


def deliver(token: str = "right") -> dict[str, Any]:
    """One webhook delivery."""
    event = webhook(BODY, x_honeycomb_webhook_token=token, x_honeycomb_webhook_delivery_id="d1")
    return honeycomb_webhook.handler(event, None)


def ask() -> tuple[str, str]:
    """RequestApproval with its documents in place; (link, code) of the mail."""
    for name, document in {
        "preview": proposals.preview(NAME),
        "evidence": proposals.evidence(),
        "diagnosis": proposals.diagnosis(),
    }.items():
        data = document.model_dump_json().encode()
        wiring.artifacts().write(artifact_key(NAME, 1, name), data)
    event = {"incident": NAME, "attempt": 1, "workload": "chatbot", "slo": "chat-latency"}
    event |= {"token": "task-token", "preview": artifact_key(NAME, 1, "preview")}
    request_approval.handler(event, None)
    text = mails(json.loads(wiring.setting("BACKBURN_APPROVER_TOPICS"))["one@example.com"])[-1]
    link, code = re.search(r"/approvals/(\S+)", text), re.search(r"^ +(\d{6})$", text, re.MULTILINE)
    return (link[1] if link else ""), (code[1] if code else "")


def test_from_the_webhook_to_a_decision_that_the_deploy_job_believes(
    deployed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One incident through real handlers, then read at the operator's desk."""
    assert deliver("wrong")["statusCode"] == 401
    answer = deliver()
    assert answer["statusCode"] == 202
    assert json.loads(answer["body"])["incident"] == NAME
    assert "before" in json.loads(deliver()["body"])["outcome"]

    link, code = ask()
    page = approval.handler(approval_event("GET", link), None)
    assert page["statusCode"] == 200
    assert approval.handler(approval_event("HEAD", link), None)["headers"]["allow"] == "GET, POST"
    digest = wiring.approvals().request(NAME).digest
    form = {"digest": digest, "code": code, "decision": "approve"}
    assert approval.handler(approval_event("POST", link, form), None)["statusCode"] == 200

    decision = wiring.approvals().decision(NAME)
    assert decision is not None
    right = {"incident": NAME, "attempt": 1, "digest": digest}
    assert decision.objection(**right, approvers=("one@example.com",)) is None
    assert wiring.mac_key().verify(decision.message(), decision.mac_bytes())

    assert sweep.handler({}, None) == {"deliveries": 0, "decisions": 0, "closed": 0}
    assert main(["incidents"]) == 0
    assert main(["show", NAME]) == 0
    said = capsys.readouterr().out
    assert "one@example.com approved it" in said
    assert artifact_key(NAME, 1, "proposal") in said
    assert mails(deployed["ops"]) == []


def test_law_8_rotating_the_token_loses_no_delivery(deployed: dict[str, str]) -> None:
    """The old one is let in until it is put away by a second rotation."""
    secrets = boto3.client("secretsmanager")
    secrets.put_secret_value(SecretId="token", SecretString="new")
    assert {deliver(token)["statusCode"] for token in ("new", "right")} == {202}
    secrets.put_secret_value(SecretId="token", SecretString="new")
    forget()
    assert deliver("new")["statusCode"] == 202
    assert deliver("right")["statusCode"] == 401


def test_a_failed_execution_is_parked_and_retried_at_the_desk(
    deployed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """EventBridge's event, the operators' mail, and the way on."""
    deliver()
    case = {"incident": NAME, "attempt": 1, "workload": "chatbot", "slo": "chat-latency"}
    arn = f"{wiring.setting('BACKBURN_STATE_MACHINE').replace('stateMachine', 'execution')}:{NAME}"
    boto3.client("stepfunctions").stop_execution(executionArn=arn)
    detail = {"name": NAME, "executionArn": arn, "status": "ABORTED", "input": json.dumps(case)}
    assert park_incident.handler({"detail": detail}, None)["status"] == "parked"
    assert f"python -m backburn retry {NAME}" in mails(deployed["ops"])[0]
    assert main(["retry", NAME]) == 0
    assert main(["retry", NAME]) == 1
    assert "is being handled by the execution" in capsys.readouterr().err


def test_the_desk_reads_its_addresses_from_the_stack(
    deployed: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--stack` instead of an environment; a stack that is not there is a sentence."""
    deliver()
    names = {"IncidentsTable": "INCIDENTS_TABLE", "StateMachineArn": "STATE_MACHINE"}
    outputs = {key: {"Value": wiring.setting(f"BACKBURN_{name}")} for key, name in names.items()}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {}}
    template = json.dumps({"Resources": {"Topic": topic}, "Outputs": outputs})
    boto3.client("cloudformation").create_stack(StackName="Backburn", TemplateBody=template)
    for name in names.values():
        monkeypatch.delenv(f"BACKBURN_{name}")
    forget()
    assert main(["incidents"]) == 1
    assert main(["--stack", "Nowhere", "incidents"]) == 1
    assert "Nowhere" in capsys.readouterr().err
    assert main(["--stack", "Backburn", "incidents"]) == 0
    assert NAME in capsys.readouterr().out
    assert wiring.setting("BACKBURN_STATE_MACHINE").endswith(":remediation")
