"""The functions: one per Lambda state, route and event, and what each of them is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

RETENTION = logs.RetentionDays.THREE_MONTHS


# Which BACKBURN_ variables a part is told: those that wiring.py reads for it and no others. Being
# told of a table, a secret or a topic is what the plain grants go by (grants.py).
HONEYCOMB = ("HONEYCOMB_SECRET", "HONEYCOMB_URL")
MAILS = ("OPERATORS_TOPIC", "APPROVER_TOPICS")
RECORD = ("INCIDENTS_TABLE", "ARTIFACTS_BUCKET", "WORKLOADS")


@dataclass(frozen=True)
class Spec:
    """One function: named like its state, route or event, and so is its module."""

    name: str
    module: str
    seconds: int
    told: tuple[str, ...]
    memory: int = 512


STEPS = (
    Spec("QueryTraces", "steps.query_traces", 300, (*RECORD, *HONEYCOMB), memory=1024),
    Spec("Diagnose", "steps.diagnose", 300, ("ARTIFACTS_BUCKET",)),
    Spec("ProposePatch", "steps.propose_patch", 120, (*RECORD, "BRAKES_PARAMETER"), memory=1024),
    Spec(
        "RequestApproval",
        "steps.request_approval",
        60,
        (*RECORD, *MAILS, "BRAKES_PARAMETER", "APPROVALS_TABLE", "API_URL"),
    ),
    Spec(
        "ConfirmBurn",
        "steps.confirm_burn",
        300,
        (*HONEYCOMB, "WORKLOADS", "BRAKES_PARAMETER"),
    ),
    Spec("AwaitRollout", "steps.await_rollout", 45, RECORD),
    Spec(
        "Verify",
        "steps.verify",
        300,
        (*HONEYCOMB, "ARTIFACTS_BUCKET", "WORKLOADS"),
        memory=1024,
    ),
    Spec("CloseIncident", "steps.close_incident", 60, (*RECORD, *HONEYCOMB, *MAILS)),
)
# What wakes up by HTTP, by EventBridge or by the clock.
DOORS = (
    Spec(
        "HoneycombWebhook",
        "routes.honeycomb_webhook",
        10,
        ("INCIDENTS_TABLE", "WORKLOADS", "WEBHOOK_SECRET", "STATE_MACHINE", "OPERATORS_TOPIC"),
    ),
    Spec(
        "Approval",
        "routes.approval",
        10,
        (
            "INCIDENTS_TABLE",
            "APPROVALS_TABLE",
            "ARTIFACTS_BUCKET",
            "MAC_KEY",
            "STATE_MACHINE",
            "OPERATORS_TOPIC",
        ),
    ),
    Spec(
        "ParkIncident",
        "events.park_incident",
        30,
        ("INCIDENTS_TABLE", "ARTIFACTS_BUCKET", "STATE_MACHINE", *MAILS),
    ),
    Spec(
        "Sweep",
        "events.sweep",
        50,
        ("INCIDENTS_TABLE", "APPROVALS_TABLE", "WORKLOADS", "STATE_MACHINE", *MAILS),
    ),
)
# The two CodeBuild projects.
PREVIEW = ("ARTIFACTS_BUCKET", "WORKLOADS")
DEPLOY = (*RECORD, "APPROVALS_TABLE", "MAC_KEY", "BRAKES_PARAMETER")


@dataclass(frozen=True)
class Platform:
    """What every function runs on."""

    code: lambda_.Code
    runtime: lambda_.Runtime
    architecture: lambda_.Architecture


class Function(Construct):
    """A function whose role may write its own log and nothing else until it is granted."""

    def __init__(
        self, scope: Construct, spec: Spec, *, platform: Platform, environment: Mapping[str, str]
    ) -> None:
        super().__init__(scope, spec.name)
        self.told = spec.told
        log_group = logs.LogGroup(
            self, "Log", retention=RETENTION, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            code=platform.code,
            runtime=platform.runtime,
            architecture=platform.architecture,
            handler=f"backburn.{spec.module}.handler",
            role=self.role,
            log_group=log_group,
            environment=dict(environment),
            timeout=cdk.Duration.seconds(spec.seconds),
            memory_size=spec.memory,
        )
