"""Bucket, topics, keys, switch, secrets and state machine: real clients against moto."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns import sns_backends

from backburn.adapters.kms import KmsMacKey
from backburn.adapters.s3 import S3Artifacts
from backburn.adapters.secrets_manager import SecretsManager
from backburn.adapters.sns import SnsMailer
from backburn.adapters.ssm import SsmBrakes
from backburn.adapters.step_functions import StepFunctions
from backburn.ports import Artifacts, Failure, MacKey
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.mac_key import FakeMacKey

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:remediation"


@pytest.fixture(params=["fake", "s3"])
def artifacts(request: pytest.FixtureRequest) -> Artifacts:
    """An empty bucket."""
    if request.param == "fake":
        return FakeArtifacts()
    request.getfixturevalue("aws")
    client = boto3.client("s3")
    client.create_bucket(Bucket="artifacts")
    return S3Artifacts(client, "artifacts")


def test_what_is_written_is_read_and_replaced(artifacts: Artifacts) -> None:
    """The last writing counts."""
    artifacts.write("incidents/a/1/evidence.json", b"one")
    artifacts.write("incidents/a/1/evidence.json", b"two")
    assert artifacts.read("incidents/a/1/evidence.json") == b"two"


def test_what_is_absent_is_a_key_error_and_has_no_version(artifacts: Artifacts) -> None:
    """Absent is told apart from broken."""
    with pytest.raises(KeyError):
        artifacts.read("nothing")
    assert artifacts.version("nothing") is None


def test_a_bundle_is_replaced_only_as_it_was_read(artifacts: Artifacts) -> None:
    """Whoever uploaded meanwhile is not overwritten."""
    artifacts.write("programs/chatbot.zip", b"one")
    version = artifacts.version("programs/chatbot.zip")
    assert version is not None
    assert artifacts.replace("programs/chatbot.zip", b"two", version)
    assert not artifacts.replace("programs/chatbot.zip", b"three", version)
    assert artifacts.read("programs/chatbot.zip") == b"two"


@pytest.fixture(params=["fake", "kms"])
def mac_key(request: pytest.FixtureRequest) -> MacKey:
    """A key."""
    if request.param == "fake":
        return FakeMacKey()
    request.getfixturevalue("aws")
    client = boto3.client("kms")
    made = client.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")
    return KmsMacKey(client, made["KeyMetadata"]["Arn"])


def test_law_5_a_mac_holds_for_its_message_alone(mac_key: MacKey) -> None:
    """Any other byte, or no MAC at all, is refused."""
    mac = mac_key.generate(b"approve")
    assert mac_key.verify(b"approve", mac)
    assert not mac_key.verify(b"Approve", mac)
    assert not mac_key.verify(b"approve", b"\0" * 32)
    assert not mac_key.verify(b"approve", b"")


def test_every_approver_has_a_topic_of_their_own(aws: None) -> None:
    """A personal link reaches nobody else, and a subject is what SNS takes."""
    client = boto3.client("sns")
    topics = {name: client.create_topic(Name=name)["TopicArn"] for name in ("ops", "one", "two")}
    mailer = SnsMailer(client, topics["ops"], {"one@x": topics["one"], "two@x": topics["two"]})
    mailer.to_approver("one@x", "Zürich\nburns " + "x" * 200, "text")
    mailer.to_operators("look", "here")
    sent = {
        name: [notification[1:3] for notification in backend_topic(arn).sent_notifications]
        for name, arn in topics.items()
    }
    assert sent["two"] == []
    assert sent["ops"] == [("here", "look")]
    text, subject = sent["one"][0]
    assert text == "text"
    assert subject.startswith("Z?rich burns xxx")
    assert len(subject) == 99


def backend_topic(arn: str) -> Any:
    """The topic as moto keeps it."""
    return sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].topics[arn]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"stop": false, "why": ""}', None),
        ('{"stop": true, "why": "audit"}', "the kill switch /b is on: audit"),
        ('{"stop": true}', "the kill switch /b is on"),
        ('{"stop": "false"}', "the kill switch /b is on"),
        ('{"stop": 0}', "the kill switch /b is on"),
        ("{}", "the kill switch /b cannot be read (KeyError), so it counts as on"),
        ("off", "the kill switch /b cannot be read (JSONDecodeError), so it counts as on"),
        ("[]", "the kill switch /b cannot be read (TypeError), so it counts as on"),
    ],
)
def test_law_10_the_kill_switch_is_off_only_by_a_plain_no(
    aws: None, value: str, said: str | None
) -> None:
    """Whatever is not exactly false is a stop."""
    client = boto3.client("ssm")
    client.put_parameter(Name="/b", Value=value, Type="String")
    assert SsmBrakes(client, "/b").engaged() == said


def test_law_10_a_kill_switch_that_is_not_there_is_on(aws: None) -> None:
    """Brakes fail closed."""
    said = SsmBrakes(boto3.client("ssm"), "/b").engaged()
    assert said == "the kill switch /b cannot be read (ParameterNotFound), so it counts as on"


def test_law_10_a_kill_switch_out_of_reach_is_on(aws: None) -> None:
    """No network is no permission."""
    client = boto3.client("ssm", endpoint_url="http://127.0.0.1:1")
    assert "cannot be read (" in str(SsmBrakes(client, "/b").engaged())


def test_a_secret_is_read_once_in_a_while(aws: None) -> None:
    """Not once per request; a rotated one is found minutes later."""
    client, now = boto3.client("secretsmanager"), [0.0]
    client.create_secret(Name="token", SecretString="one")
    secrets = SecretsManager(client, lambda: now[0])
    assert secrets.text("token") == "one"
    client.put_secret_value(SecretId="token", SecretString="two")
    now[0] = 300
    assert secrets.text("token") == "one"
    now[0] = 301
    assert secrets.text("token") == "two"


def test_a_secret_remembers_the_one_before(aws: None) -> None:
    """One, and none before the first rotation."""
    client = boto3.client("secretsmanager")
    client.create_secret(Name="token", SecretString="one")
    assert SecretsManager(client).previous("token") is None
    for text in ("two", "three"):
        client.put_secret_value(SecretId="token", SecretString=text)
    secrets = SecretsManager(client)
    assert (secrets.text("token"), secrets.previous("token")) == ("three", "two")


def test_a_secret_that_is_not_there_is_a_sentence(aws: None) -> None:
    """Nobody goes on with an empty one."""
    with pytest.raises(KeyError, match="there is no secret nothing"):
        SecretsManager(boto3.client("secretsmanager")).text("nothing")


def test_a_secret_that_may_not_be_read_is_not_merely_absent(aws: None) -> None:
    """A missing permission must not look like a secret that was never rotated."""
    client = boto3.client("secretsmanager")
    with Stubber(client) as stub:
        stub.add_client_error("get_secret_value", "AccessDeniedException")
        with pytest.raises(ClientError):
            SecretsManager(client).previous("token")


@pytest.fixture
def machine(aws: None) -> tuple[Any, str]:
    """A client and a state machine that passes."""
    client = boto3.client("stepfunctions")
    definition = {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}}
    role = "arn:aws:iam::123456789012:role/r"
    made = client.create_state_machine(
        name="remediation", definition=json.dumps(definition), roleArn=role
    )
    return client, made["stateMachineArn"]


def test_law_8_an_execution_starts_once(machine: tuple[Any, str]) -> None:
    """The same name again is no error and no second execution."""
    client, arn = machine
    workflow = StepFunctions(client, arn)
    workflow.start("chatbot-1", {"incident": "chatbot-1", "attempt": 1})
    workflow.start("chatbot-1", {"attempt": 1, "incident": "chatbot-1"})
    executions = client.list_executions(stateMachineArn=arn)["executions"]
    assert [execution["name"] for execution in executions] == ["chatbot-1"]


def test_an_execution_is_at_work_until_it_ends(machine: tuple[Any, str]) -> None:
    """And one that never began is not."""
    client, arn = machine
    workflow = StepFunctions(client, arn)
    assert not workflow.running("chatbot-1")
    workflow.start("chatbot-1", {})
    assert workflow.running("chatbot-1")
    execution = client.list_executions(stateMachineArn=arn)["executions"][0]["executionArn"]
    client.stop_execution(executionArn=execution)
    assert not workflow.running("chatbot-1")


@pytest.mark.parametrize("error", ["TaskDoesNotExist", "TaskTimedOut", "InvalidToken"])
def test_law_5_a_token_nobody_waits_on_is_a_lookup_error(aws: None, error: str) -> None:
    """A late or a forged answer wakes nothing; moto takes any token, so the answers are AWS's."""
    client = boto3.client("stepfunctions")
    workflow = StepFunctions(client, MACHINE)
    with Stubber(client) as stub:
        stub.add_client_error("send_task_success", error)
        stub.add_client_error("send_task_failure", error)
        with pytest.raises(LookupError):
            workflow.succeed("token", {"decision": "approve"})
        with pytest.raises(LookupError):
            workflow.fail("token", "Rejected", "why")


def test_any_other_refusal_stays_what_it_is(aws: None) -> None:
    """Without permission nothing was delivered, and the sweep must try again."""
    client = boto3.client("stepfunctions")
    with Stubber(client) as stub:
        stub.add_client_error("send_task_success", "AccessDeniedException")
        with pytest.raises(ClientError):
            StepFunctions(client, MACHINE).succeed("token", {})


@pytest.mark.parametrize("how", ["Failed", "TimedOut", "Aborted"])
def test_a_failure_names_the_state_and_the_cause(aws: None, how: str) -> None:
    """The last state that was entered, and what the end says."""
    client = boto3.client("stepfunctions")
    events = [
        _event(4, f"Execution{how}", f"execution{how}", {"error": "KeyError", "cause": "why"}),
        _event(3, "TaskFailed", "taskFailed", {"resourceType": "lambda", "resource": "invoke"}),
        _event(2, "TaskStateEntered", "stateEntered", {"name": "Diagnose"}),
        _event(1, "ExecutionFailed", "executionFailed", {"error": "before", "cause": "a redrive"}),
        _event(0, "TaskStateEntered", "stateEntered", {"name": "QueryTraces"}),
    ]
    with Stubber(client) as stub:
        expected = {"executionArn": MACHINE.replace("stateMachine", "execution") + ":chatbot-1"}
        expected |= {"reverseOrder": True, "maxResults": 100, "includeExecutionData": True}
        stub.add_response("get_execution_history", {"events": events}, expected)
        failure = StepFunctions(client, MACHINE).failure("chatbot-1")
    assert failure == Failure(state="Diagnose", error="KeyError", cause="why")


def _event(number: int, kind: str, details: str, told: dict[str, Any]) -> dict[str, Any]:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    return {"timestamp": at, "type": kind, "id": number, f"{details}EventDetails": told}
