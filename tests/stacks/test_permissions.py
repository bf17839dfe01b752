"""Law 9: who can call what, read from the synthesised template."""

from __future__ import annotations

import fnmatch
import json

import pytest

from tests.stacks.template import Template, text

STEPS = {
    "QueryTraces",
    "Diagnose",
    "ProposePatch",
    "RequestApproval",
    "ConfirmBurn",
    "AwaitRollout",
    "Verify",
    "CloseIncident",
}
DOORS = {"HoneycombWebhook", "Approval", "ParkIncident", "Sweep"}
BUILDS = {"Preview", "Deploy"}

# Every wildcard, with the reason that it has to be one.
ANY_RESOURCE = {
    "cloudwatch:GetMetricData": "metrics are no resources",
    "ecs:RegisterTaskDefinition": "registering takes no resource",
    "logs:CreateLogDelivery": "log deliveries have no resource; the CDK's own for a state machine",
    "logs:GetLogDelivery": "the same",
    "logs:UpdateLogDelivery": "the same",
    "logs:DeleteLogDelivery": "the same",
    "logs:ListLogDeliveries": "the same",
    "logs:PutResourcePolicy": "the same",
    "logs:DescribeResourcePolicies": "the same",
    "logs:DescribeLogGroups": "the same, and Pulumi's refresh",
    "xray:PutTraceSegments": "traces have no resource",
    "xray:PutTelemetryRecords": "the same",
    "xray:GetSamplingRules": "the same",
    "xray:GetSamplingTargets": "the same",
}
READS = ("*:Describe*", "*:Get*", "*:List*", "*:BatchGet*")


def test_only_the_approval_route_makes_the_mac_of_a_decision(template: Template) -> None:
    """Law 5: a decision's MAC can have come from nowhere else."""
    assert template.who("kms:GenerateMac") == {"Approval"}
    assert template.who("kms:VerifyMac") == {"Deploy"}


def test_law_5_the_macs_key_denies_everybody_else_in_the_account(template: Template) -> None:
    """Wide permissions are common, and a key's own policy stands above them."""
    policy = template.one("AWS::KMS::Key", "ApprovalsMacKey")["KeyPolicy"]["Statement"]
    (denied,) = (s for s in policy if s["Effect"] == "Deny")
    assert (denied["Action"], denied["Principal"]) == ("kms:GenerateMac", {"AWS": "*"})
    (but,) = denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert text(but) == "<ApprovalRole>"


def test_only_the_approval_route_and_the_sweep_wake_executions(template: Template) -> None:
    """Task tokens are of no use to anyone else."""
    for action in ("states:SendTaskSuccess", "states:SendTaskFailure"):
        assert template.who(action) == {"Approval", "Sweep"}
    assert template.who("states:SendTaskHeartbeat") == set()


def test_only_the_workflow_starts_builds(template: Template) -> None:
    """Whoever starts a build could override what it runs."""
    for action in ("codebuild:StartBuild", "codebuild:StartBuildBatch", "codebuild:RetryBuild"):
        assert template.who(action) <= {"Workflow"}
    assert template.who("codebuild:UpdateProject") == set()


def test_even_the_workflow_cannot_override_what_a_build_runs(template: Template) -> None:
    """Law 9: neither buildspec nor source, image, role or a variable that the stack sets."""
    for grant in template.of("Workflow"):
        if grant.action == "codebuild:StartBuild":
            where = json.loads(grant.condition)
            absent = {key for key, null in where["Null"].items() if null == "true"}
            assert absent >= {
                "codebuild:source.buildspec",
                "codebuild:source.location",
                "codebuild:environment.image",
                "codebuild:serviceRole",
            }
            (names,) = where["ForAllValues:StringEquals"].values()
            step = ["STEP"] if "Deploy" in grant.resource else []
            assert names == ["INCIDENT", "ATTEMPT", "WORKLOAD", *step]


def test_only_the_webhook_and_the_sweep_start_executions(template: Template) -> None:
    """Nothing inside an execution starts another."""
    assert template.who("states:StartExecution") == {"HoneycombWebhook", "Sweep"}


def test_only_the_steps_are_invoked_by_the_workflow_and_by_nobody_else(template: Template) -> None:
    """Routes and events are opened by their own services only."""
    assert template.who("lambda:InvokeFunction") == {"Workflow"}
    invoked = {g.resource for g in template.of("Workflow") if g.action == "lambda:InvokeFunction"}
    assert invoked == {f"<{step}Function>" for step in STEPS}


def test_the_reasoners_function_reaches_only_the_incidents_documents(template: Template) -> None:
    """The function that a language model sits in: neither tokens nor approvals nor builds."""
    assert {grant.access for grant in template.of("Diagnose")} == {
        ("logs:CreateLogStream", "<DiagnoseLog>"),
        ("logs:PutLogEvents", "<DiagnoseLog>"),
        ("s3:GetObject", "<StorageArtifacts>/incidents/*"),
        ("s3:ListBucket", "<StorageArtifacts>"),
        ("s3:PutObject", "<StorageArtifacts>/incidents/*/diagnosis.json"),
    }


def test_law_9_each_part_uses_its_own_kind_of_an_approvals_items(template: Template) -> None:
    """Who could write a link could decide by it; a request holds the task token."""
    used = {
        (grant.role, grant.action.removeprefix("dynamodb:"), kind.removesuffix("#*"))
        for grant in template.grants
        if grant.resource == "<ApprovalsRequests>"
        for kind in json.loads(grant.condition)["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    }
    assert used == {
        ("RequestApproval", "PutItem", "request"),
        ("RequestApproval", "PutItem", "link"),
        ("RequestApproval", "DeleteItem", "decision"),
        ("Approval", "GetItem", "request"),
        ("Approval", "GetItem", "link"),
        ("Approval", "GetItem", "decision"),
        ("Approval", "PutItem", "decision"),
        ("Approval", "UpdateItem", "link"),
        ("Approval", "UpdateItem", "decision"),
        ("Approval", "ConditionCheckItem", "request"),
        ("Sweep", "GetItem", "request"),
        ("Sweep", "GetItem", "decision"),
        ("Sweep", "UpdateItem", "decision"),
        ("Deploy", "GetItem", "decision"),
    }


def test_law_5_the_first_decision_is_checked_against_the_newest_request(
    template: Template,
) -> None:
    """The approval route's transaction holds a condition on another item."""
    assert template.who("dynamodb:ConditionCheckItem") == {"Approval"}


def test_the_preview_build_writes_nothing_but_its_own_document_cache_and_log(
    template: Template,
) -> None:
    """It runs the user's program with a patch nobody has approved."""
    writes = {
        grant.access
        for grant in template.of("Preview")
        if not any(fnmatch.fnmatchcase(grant.action, pattern) for pattern in READS)
    }
    assert writes == {
        ("s3:PutObject", "<StorageArtifacts>/incidents/*/preview.json"),
        ("s3:PutObject", "<StorageArtifacts>/cache/preview/*"),
        ("logs:CreateLogStream", "<PreviewLog>"),
        ("logs:PutLogEvents", "<PreviewLog>"),
    }


@pytest.mark.parametrize(
    "action",
    ["ecs:UpdateService", "ecs:RegisterTaskDefinition", "iam:PassRole", "ecs:TagResource"],
)
def test_only_the_deploy_build_changes_the_service(template: Template, action: str) -> None:
    """Everything the catalogue's setting needs, in one role."""
    assert template.who(action) == {"Deploy"}


def test_the_deploy_build_changes_the_workloads_services_only(template: Template) -> None:
    """No other service, no cluster, no deletion."""
    services = {g.resource for g in template.of("Deploy") if g.action == "ecs:UpdateService"}
    assert {service.rpartition(":")[2] for service in services} == {
        "service/one/chat",
        "service/two/find",
    }
    forbidden = ["ecs:Delete*", "ecs:Create*", "ecs:Deregister*", "iam:Put*", "iam:Attach*"]
    forbidden += ["iam:Create*", "iam:Update*", "iam:Delete*", "ec2:Create*", "sts:*", "kms:Gen*"]
    actions = {g.action for g in template.of("Deploy")}
    assert not [a for a in actions for bad in forbidden if fnmatch.fnmatchcase(a, bad)]


def test_only_the_workloads_roles_are_passed_and_only_to_tasks(template: Template) -> None:
    """PassRole to anything else would be a way to other permissions."""
    passing = [g for g in template.grants if g.action == "iam:PassRole"]
    assert {grant.resource.rpartition(":")[2] for grant in passing} == {
        "role/chatbot-*",
        "role/search-task",
        "role/search-execution",
    }
    assert all("ecs-tasks.amazonaws.com" in grant.condition for grant in passing)


def test_only_the_builds_open_the_pulumi_state(template: Template) -> None:
    """And only the deploy build writes it."""
    for state in ("*:s3:::state-one/[*]", "*:s3:::state-two/search/[*]"):
        assert template.who("s3:GetObject", state) == BUILDS
        assert template.who("s3:PutObject", state) == {"Deploy"}
        assert template.who("s3:DeleteObject", state) == {"Deploy"}
    for secret in ("*:secret:chatbot/passphrase-*", "*:secret:search-passphrase-*"):
        assert template.who("secretsmanager:GetSecretValue", secret) == BUILDS


def test_a_programs_own_secrets_are_read_by_the_builds_alone(template: Template) -> None:
    """A refresh compares them with the state; only those that the workload names."""
    reads = {
        grant.resource.rpartition(":secret:")[2]
        for grant in template.grants
        if grant.action == "secretsmanager:GetSecretValue" and grant.role in BUILDS
    }
    assert reads == {
        "chatbot/passphrase-??????",
        "search-passphrase-??????",
        "search/index-key-??????",
    }
    assert template.who("secretsmanager:DescribeSecret", "*:secret:search/index-key-*") == BUILDS
    assert template.who("secretsmanager:PutSecretValue") == set()


def test_each_document_of_an_incident_is_written_by_its_own_state(template: Template) -> None:
    """Nobody can replace what another state found out or proposed."""
    written = {
        (grant.resource.rsplit("/", 1)[-1].removesuffix(".json"), grant.role)
        for grant in template.grants
        if grant.action == "s3:PutObject" and "/incidents/" in grant.resource
    }
    assert written == {
        ("evidence", "QueryTraces"),
        ("diagnosis", "Diagnose"),
        ("change", "ProposePatch"),
        ("patch", "ProposePatch"),
        ("preview", "Preview"),
        ("proposal", "RequestApproval"),
        ("update", "Deploy"),
        ("rollback", "Deploy"),
        ("verdict-*", "Verify"),
        ("record", "CloseIncident"),
    }


def test_only_the_deploy_build_replaces_a_program(template: Template) -> None:
    """The bundle is what everybody previews and applies."""
    programs = "<StorageArtifacts>/programs/*"
    assert template.who("s3:PutObject", programs) == {"Deploy"}
    assert template.who("s3:GetObject", programs) == {"ProposePatch", "Preview", "Deploy"}


def test_the_builds_share_no_cache(template: Template) -> None:
    """What the preview left behind, the deploy never runs."""
    for action in ("s3:GetObject", "s3:PutObject"):
        for build in BUILDS:
            assert template.who(action, f"<StorageArtifacts>/cache/{build.lower()}/*") == {build}


def test_each_secret_is_read_by_those_who_speak_to_its_owner(template: Template) -> None:
    """The webhook's token by the webhook, Honeycomb's key by those who query it."""
    read = "secretsmanager:GetSecretValue"
    assert template.who(read, "<StorageWebhookToken>") == {"HoneycombWebhook"}
    assert template.who(read, "<StorageHoneycombKey>") == {
        "QueryTraces",
        "ConfirmBurn",
        "Verify",
        "CloseIncident",
    }


def test_no_action_is_a_wildcard(template: Template) -> None:
    """`s3:Get*` would grow with AWS."""
    assert [g for g in template.grants if "*" in g.action] == []


def test_every_wildcard_resource_has_a_listed_reason(template: Template) -> None:
    """Describing calls that AWS cannot narrow aside, each is named above."""
    bare = {(g.role, g.action) for g in template.grants if g.resource == "*"}
    builds_read = {
        (role, action)
        for role, action in bare
        if role in BUILDS and any(fnmatch.fnmatchcase(action, pattern) for pattern in READS)
    }
    assert {action for _, action in bare - builds_read} <= set(ANY_RESOURCE)


def test_roles_are_assumed_by_one_aws_service_each(template: Template) -> None:
    """No other account, no person."""
    trusted = {
        name: str(role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"])
        for name, role in template.parts("AWS::IAM::Role").items()
    }
    assert set(trusted) == STEPS | DOORS | BUILDS | {"Workflow"}
    for name, principal in trusted.items():
        service = "codebuild" if name in BUILDS else "states" if name == "Workflow" else "lambda"
        assert principal == str({"Service": f"{service}.amazonaws.com"})


def test_no_role_has_a_managed_policy(template: Template) -> None:
    """What AWS may widen is not what we granted."""
    roles = template.resources("AWS::IAM::Role").values()
    assert [r for r in roles if r.get("ManagedPolicyArns") or r.get("Policies")] == []


TOLD = {
    "INCIDENTS_TABLE": ("dynamodb:UpdateItem", "<StorageIncidents>"),
    "APPROVALS_TABLE": ("dynamodb:*Item", "<ApprovalsRequests>"),
    "ARTIFACTS_BUCKET": ("s3:ListBucket", "<StorageArtifacts>"),
    "HONEYCOMB_SECRET": ("secretsmanager:GetSecretValue", "<StorageHoneycombKey>"),
    "WEBHOOK_SECRET": ("secretsmanager:GetSecretValue", "<StorageWebhookToken>"),
    "MAC_KEY": ("kms:*Mac", "<ApprovalsMacKey>"),
    "BRAKES_PARAMETER": ("ssm:GetParameter", "*<StorageBrakes>"),
    "OPERATORS_TOPIC": ("sns:Publish", "<ApprovalsOperators>"),
    "STATE_MACHINE": ("states:*", "*<WorkflowMachine>*"),
}


@pytest.mark.parametrize("name", sorted(TOLD))
def test_who_is_told_of_a_thing_is_who_may_reach_it(template: Template, name: str) -> None:
    """An address without a permission, or a permission without an address, is a mistake."""
    action, resource = TOLD[name]
    reach = {
        grant.role
        for grant in template.grants
        if fnmatch.fnmatchcase(grant.action, action)
        and fnmatch.fnmatchcase(grant.resource, resource)
    }
    assert told(template, f"BACKBURN_{name}") == reach


def told(template: Template, variable: str) -> set[str]:
    """The functions and builds that have an environment variable."""
    functions = template.parts("AWS::Lambda::Function")
    projects = template.parts("AWS::CodeBuild::Project")
    have = {name: f["Environment"]["Variables"] for name, f in functions.items()}
    have |= {
        name: {v["Name"]: v["Value"] for v in project["Environment"]["EnvironmentVariables"]}
        for name, project in projects.items()
    }
    return {name for name, variables in have.items() if variable in variables}
