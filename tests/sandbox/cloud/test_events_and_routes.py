"""Events reach functions, mails the outbox, and HTTP requests their route."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.sandbox.cloud.world import Cloud, eventually

RECORDER = """
import boto3, json, os

def handler(event, context):
    name = "/seen/" + event.get("source", "none")
    boto3.client("ssm").put_parameter(Name=name, Value=json.dumps(event), Type="String", Overwrite=True)
"""
ROUTE = """
def handler(event, context):
    method = event["requestContext"]["http"]["method"]
    if event["rawPath"] == "/broken":
        raise ValueError("a secret")
    return {"statusCode": 405 if method == "HEAD" else 200, "body": method}
"""


@pytest.fixture(scope="module")
def recorder(cloud: Cloud) -> str:
    """A function that remembers the last event of each source."""
    return cloud.function(RECORDER)


def rule(cloud: Cloud, name: str, function: str, **when: str) -> None:
    """A rule with the function as its target."""
    cloud("events").put_rule(Name=name, State="ENABLED", **when)
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    cloud("events").put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])


def seen(cloud: Cloud, source: str) -> dict[str, Any]:
    """The last event of a source that the recorder saw."""
    found = cloud("ssm").get_parameters(Names=[f"/seen/{source}"])["Parameters"]
    return json.loads(found[0]["Value"]) if found else {}


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_an_execution_that_ends_badly_is_an_event(cloud: Cloud, recorder: str, status: str) -> None:
    """A rule on Step Functions' status changes calls its function with the execution."""
    states: dict[str, Any] = {"A": {"Type": "Wait", "Seconds": 60, "End": True}}
    if status == "FAILED":
        states = {"A": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}}
    machine = cloud.machine(states, **({"TimeoutSeconds": 1} if status == "TIMED_OUT" else {}))
    detail = {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [machine]}
    rule(cloud, "parks", recorder, EventPattern=json.dumps({"detail": detail}))
    execution = cloud.start(machine, {"incident": "one"})
    if status == "ABORTED":
        cloud("stepfunctions").stop_execution(executionArn=execution)
    event = eventually(
        lambda: seen(cloud, "aws.states"),
        lambda e: e.get("detail", {}).get("executionArn") == execution,
    )
    assert event["detail"]["status"] == status
    assert json.loads(event["detail"]["input"]) == {"incident": "one"}


def test_a_schedule_calls_its_function(cloud: Cloud, recorder: str) -> None:
    """rate(1 minute) fires; a minute has two seconds here."""
    rule(cloud, "sweeps", recorder, ScheduleExpression="rate(1 minute)")
    event = eventually(lambda: seen(cloud, "aws.events"), bool)
    assert event["detail-type"] == "Scheduled Event"


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> str:
    """An HTTP API in front of a function; the base of its URL that every client can resolve."""
    function = cloud.function(ROUTE)
    gateway = cloud("apigatewayv2")
    created = gateway.create_api(Name="api", ProtocolType="HTTP")
    integration = gateway.create_integration(
        ApiId=created["ApiId"],
        IntegrationType="AWS_PROXY",
        IntegrationUri=f"arn:aws:lambda:us-east-1:000000000000:function:{function}",
        PayloadFormatVersion="2.0",
    )
    for key in ("GET /page/{link}", "POST /page/{link}", "HEAD /page/{link}", "GET /broken"):
        target = f"integrations/{integration['IntegrationId']}"
        gateway.create_route(ApiId=created["ApiId"], RouteKey=key, Target=target)
    gateway.create_stage(ApiId=created["ApiId"], StageName="$default", AutoDeploy=True)
    assert created["ApiEndpoint"].endswith(f".execute-api.localhost:{cloud.url.rsplit(':')[-1]}")
    return f"{cloud.url}/_aws/execute-api/{created['ApiId']}/$default"


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 200), ("HEAD", 405)])
def test_every_method_reaches_its_route(api: str, method: str, status: int) -> None:
    """HEAD has a route of its own and no body."""
    response = httpx.request(method, f"{api}/page/abc")
    assert (response.status_code, response.text) == (status, "" if method == "HEAD" else method)


def test_an_unhandled_error_does_not_leak(api: str) -> None:
    """API Gateway answers for a function that raised, without its text."""
    response = httpx.get(f"{api}/broken")
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_a_mail_becomes_a_file(cloud: Cloud) -> None:
    """What SNS would mail stands in the outbox, whole, with its recipient."""
    topic = cloud("sns").create_topic(Name="approver")["TopicArn"]
    cloud("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ada@example.com")
    cloud("sns").publish(TopicArn=topic, Subject="Approve", Message="http://x/?a=1&b=%2F")
    (mail,) = [json.loads(file.read_text()) for file in cloud.outbox.glob("*.json")]
    assert (mail["to"], mail["subject"], mail["message"], mail["topic"]) == (
        "ada@example.com",
        "Approve",
        "http://x/?a=1&b=%2F",
        topic,
    )


@pytest.mark.parametrize("subject", ["é", "two\nlines", "x" * 100])
def test_a_subject_that_sns_refuses_is_refused(cloud: Cloud, subject: str) -> None:
    """ASCII, one line, under 100 characters."""
    topic = cloud("sns").create_topic(Name="picky")["TopicArn"]
    with pytest.raises(cloud("sns").exceptions.InvalidParameterException):
        cloud("sns").publish(TopicArn=topic, Subject=subject, Message="x")


def test_a_throttled_function_has_its_own_error(cloud: Cloud) -> None:
    """A function without free concurrency is Lambda.TooManyRequestsException in the workflow."""
    function = cloud.function(ROUTE)
    cloud("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    invoke = {"FunctionName": function, "Payload": {}}
    resource = "arn:aws:states:::lambda:invoke"
    states = {"A": {"Type": "Task", "Resource": resource, "Arguments": invoke, "End": True}}
    assert cloud.execute(states)["error"] == "Lambda.TooManyRequestsException"
