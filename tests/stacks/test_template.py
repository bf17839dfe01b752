"""What would hurt if it changed, read from the synthesised template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backburn.adapters.program_environment import INSTALL_SECONDS
from backburn.adapters.pulumi_cli import GRACE_SECONDS, SECONDS, UP_SECONDS
from stacks.functions import DOORS, STEPS
from tests.stacks.synthesis import synthesise
from tests.stacks.template import Template, text

ROOT = Path(__file__).parents[2]
Json = Any


def test_two_syntheses_are_equal(template: Template, tmp_path: Path) -> None:
    """Nothing of the clock, the machine or the order of a set gets in."""
    again = synthesise(tmp_path)
    assert json.dumps(again) == json.dumps(template.document)


def test_every_log_group_forgets(template: Template) -> None:
    """A log that is kept forever is a cost and a liability."""
    groups = template.resources("AWS::Logs::LogGroup")
    assert groups
    assert {name for name, group in groups.items() if not group.get("RetentionInDays")} == set()


def test_every_function_and_build_logs_into_a_group_of_its_own(template: Template) -> None:
    """Not into one that Lambda or CodeBuild would make, without retention."""
    functions = template.parts("AWS::Lambda::Function")
    groups = [text(function["LoggingConfig"]["LogGroup"]) for function in functions.values()]
    for project in template.parts("AWS::CodeBuild::Project").values():
        logs = project["LogsConfig"]["CloudWatchLogs"]
        assert logs["Status"] == "ENABLED"
        groups.append(text(logs["GroupName"]))
    assert len(set(groups)) == len(groups)


def test_there_is_one_function_per_step_route_and_event(template: Template) -> None:
    """Named like its state, with a role of its own, and its module exists."""
    functions = template.parts("AWS::Lambda::Function")
    assert set(functions) == {spec.name for spec in (*STEPS, *DOORS)}
    for name, function in functions.items():
        assert text(function["Role"]) == f"<{name}Role>"
        module, _, attribute = function["Handler"].rpartition(".")
        path = ROOT / "lambdas" / f"{module.replace('.', '/')}.py"
        assert f"def {attribute}(" in path.read_text()
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])


def test_only_the_intended_routes_are_open(template: Template) -> None:
    """Nothing else answers to the internet: no other route, no function URL."""
    routes = template.resources("AWS::ApiGatewayV2::Route").values()
    assert {route["RouteKey"] for route in routes} == {
        "POST /webhooks/honeycomb",
        "GET /approvals/{link}",
        "HEAD /approvals/{link}",
        "POST /approvals/{link}",
    }
    assert template.resources("AWS::Lambda::Url") == {}
    for permission in template.resources("AWS::Lambda::Permission").values():
        assert permission["Principal"] in {"apigateway.amazonaws.com", "events.amazonaws.com"}
        assert "SourceArn" in permission


def test_the_api_is_throttled_and_logs_no_links(template: Template) -> None:
    """An approver's link is in the path, so the path must not be in the log."""
    stage = template.one("AWS::ApiGatewayV2::Stage")
    settings = stage["DefaultRouteSettings"]
    assert 0 < settings["ThrottlingRateLimit"] <= 100
    assert 0 < settings["ThrottlingBurstLimit"] <= 200
    logged = stage["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in logged
    for leak in ("$context.path", "$context.requestOverride", "$context.http"):
        assert leak not in logged


def test_tables_can_be_restored_and_expire_what_is_old(template: Template) -> None:
    """Both outlive the stack."""
    tables = template.resources("AWS::DynamoDB::Table")
    assert len(tables) == 2
    for name, table in tables.items():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
        assert table["SSESpecification"]["SSEEnabled"] is True
        assert template.document["Resources"][name]["DeletionPolicy"] == "Retain"


def test_artifacts_are_versioned_private_and_encrypted(template: Template) -> None:
    """Every earlier proposal stays readable; nothing is readable from outside."""
    bucket = template.one("AWS::S3::Bucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "ServerSideEncryptionConfiguration" in bucket["BucketEncryption"]
    (denied,) = template.one("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_mac_key_can_do_nothing_but_macs(template: Template) -> None:
    """And its policy lets no other account in."""
    key = template.one("AWS::KMS::Key")
    assert (key["KeySpec"], key["KeyUsage"]) == ("HMAC_256", "GENERATE_VERIFY_MAC")
    principals = [
        text(statement["Principal"]["AWS"])
        for statement in key["KeyPolicy"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert principals == ["arn:<AWS::Partition>:iam::<AWS::AccountId>:root"]


def test_every_approver_has_a_topic_of_their_own(template: Template) -> None:
    """A topic tells all its subscribers the same, and a link is personal."""
    people: dict[str, list[str]] = {}
    for subscription in template.resources("AWS::SNS::Subscription").values():
        assert subscription["Protocol"] == "email"
        people.setdefault(text(subscription["TopicArn"]), []).append(subscription["Endpoint"])
    assert sorted(people.pop("<ApprovalsOperators>")) == ["night@example.com", "ops@example.com"]
    assert sorted(people.values()) == [["ada@example.com"], ["bob@example.com"]]


def test_alarms_reach_the_operators(template: Template) -> None:
    """A failed or hanging execution, and an error in whatever has nobody waiting for it."""
    alarms = template.resources("AWS::CloudWatch::Alarm").values()
    assert {alarm["MetricName"] for alarm in alarms} == {
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "Errors",
        "HoneycombWebhookUnavailable",
        "ApprovalUnavailable",
    }
    assert all(
        [text(a) for a in alarm["AlarmActions"]] == ["<ApprovalsOperators>"] for alarm in alarms
    )
    policy = template.one("AWS::SNS::TopicPolicy", "ApprovalsOperators")["PolicyDocument"]
    allowed = [s for s in policy["Statement"] if s["Effect"] == "Allow"]
    assert [s["Principal"] for s in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]


def test_a_route_that_can_never_do_its_work_is_an_alarm(template: Template) -> None:
    """Its handler answers 503 and does not fail, so its answers are counted in the access log."""
    filters = template.resources("AWS::Logs::MetricFilter").values()
    counted = {}
    for found in filters:
        (metric,) = found["MetricTransformations"]
        counted[metric["MetricName"]] = found["FilterPattern"]
        assert text(found["LogGroupName"]) == "<IntakeAccessLog>"
        assert (metric["MetricNamespace"], metric["MetricValue"]) == ("Backburn", "1")
    webhook, approval = counted["HoneycombWebhookUnavailable"], counted["ApprovalUnavailable"]
    assert webhook == '{ ($.status = "5*") && ($.route = "POST /webhooks/honeycomb") }'
    assert '($.route = "POST /approvals/{link}")' in approval
    for name in counted:
        (alarm,) = (
            alarm
            for alarm in template.resources("AWS::CloudWatch::Alarm").values()
            if alarm["MetricName"] == name
        )
        assert (alarm["Namespace"], alarm["Threshold"]) == ("Backburn", 1)
        assert alarm["Statistic"] == "Sum"


def test_an_execution_that_does_not_succeed_is_parked(template: Template) -> None:
    """FAILED, TIMED_OUT and ABORTED of this machine, and only of this one."""
    rule = template.one("AWS::Events::Rule", "WorkflowNotSucceeded")
    pattern = rule["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert sorted(pattern["detail"]["status"]) == ["ABORTED", "FAILED", "TIMED_OUT"]
    assert [text(arn) for arn in pattern["detail"]["stateMachineArn"]] == ["<WorkflowMachine>"]
    assert [text(target["Arn"]) for target in rule["Targets"]] == ["<ParkIncidentFunction>"]


def test_the_sweep_runs_every_minute(template: Template) -> None:
    """Law 8: whatever was recorded and did not go on is swept up."""
    rule = template.one("AWS::Events::Rule", "WorkflowEveryMinute")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert [text(target["Arn"]) for target in rule["Targets"]] == ["<SweepFunction>"]
    assert template.parts("AWS::Lambda::Function")["Sweep"]["Timeout"] < 60


def test_the_workflow_can_be_redriven_and_logs_no_tokens(template: Template) -> None:
    """Only STANDARD machines can be redriven; execution data would hold task tokens."""
    machine = template.one("AWS::StepFunctions::StateMachine")
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_every_placeholder_of_the_definition_is_filled(template: Template) -> None:
    """And none is filled that the definition does not have."""
    machine = template.one("AWS::StepFunctions::StateMachine")
    definition = text(machine["DefinitionString"])
    filled = {name: text(value) for name, value in machine["DefinitionSubstitutions"].items()}
    for name, value in filled.items():
        assert f"${{{name}}}" in definition
        kind = "Project" if name.endswith("Project") else "Function"
        assert value == f"<{name.removesuffix('Project')}{kind}>"
    for name in filled:
        definition = definition.replace(f"${{{name}}}", "")
    assert "${" not in definition


@pytest.mark.parametrize("build", ["Preview", "Deploy"])
def test_a_build_runs_our_buildspec_from_our_asset_in_a_pinned_image(
    template: Template, build: str
) -> None:
    """Nothing that runs in it comes from anywhere else."""
    project = template.parts("AWS::CodeBuild::Project")[build]
    source = project["Source"]
    assert source["Type"] == "S3"
    assert json.loads(source["BuildSpec"])["version"] == "0.2"
    asset = template.parts("AWS::Lambda::Function")["Diagnose"]["Code"]["S3Key"]
    assert text(source["Location"]).endswith(asset)
    image = project["Environment"]["Image"]
    assert image.startswith("public.ecr.aws/pulumi/pulumi-python-3.13:3.")
    assert project["Environment"]["Type"] == "ARM_CONTAINER"
    assert project["Environment"]["PrivilegedMode"] is False
    assert project["Artifacts"] == {"Type": "NO_ARTIFACTS"}
    assert project["TimeoutInMinutes"] <= 60


def test_an_update_is_interrupted_before_its_build_is_killed(template: Template) -> None:
    """A killed engine leaves a lock and pending operations; an interrupted one ends its step."""
    minutes = template.parts("AWS::CodeBuild::Project")["Deploy"]["TimeoutInMinutes"]
    longest = INSTALL_SECONDS + SECONDS + UP_SECONDS + GRACE_SECONDS
    assert longest < minutes * 60


def test_the_outputs_are_what_the_operators_desk_needs(template: Template) -> None:
    """The CLI, the sandbox and the README name them."""
    assert set(template.document["Outputs"]) >= {
        "ApiUrl",
        "StateMachineArn",
        "IncidentsTable",
        "ApprovalsTable",
        "ArtifactsBucket",
        "WorkloadsUrl",
        "WebhookSecretArn",
        "HoneycombSecretArn",
        "OperatorsTopic",
        "BrakesParameter",
        "MacKey",
    }
