"""One Lambda function: its code, its own role, its own log group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

RETENTION = logs.RetentionDays.THREE_MONTHS


@dataclass(frozen=True)
class Platform:
    """What every function runs on."""

    code: lambda_.Code
    runtime: lambda_.Runtime
    architecture: lambda_.Architecture


class Function(Construct):
    """A function whose role may write its own log and nothing else until it is granted."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        platform: Platform,
        handler: str,
        environment: Mapping[str, str],
        timeout: cdk.Duration,
        memory: int = 512,
    ) -> None:
        super().__init__(scope, name)
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
            handler=handler,
            role=self.role,
            log_group=log_group,
            environment=dict(environment),
            timeout=timeout,
            memory_size=memory,
        )
