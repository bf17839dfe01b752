"""The state machine, what watches over it, and what wakes up by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from .functions import RETENTION

DEFINITION = Path(__file__).parent / "remediation.asl.json"
# A day for the approvers, then two builds, two rollouts and twenty looks: what takes longer hangs.
LIMIT = cdk.Duration.days(3)


class Workflow(Construct):
    """One execution per attempt at an incident."""

    def __init__(self, scope: Construct, name: str, *, substitutions: Mapping[str, str]) -> None:
        super().__init__(scope, name)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        stack = cdk.Stack.of(self)
        log_group = logs.LogGroup(
            self,
            "Log",
            # The prefix keeps CloudWatch Logs' resource policy from outgrowing its limit.
            log_group_name=f"/aws/vendedlogs/states/{stack.stack_name}",
            retention=RETENTION,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.machine = stepfunctions.StateMachine(
            self,
            "Machine",
            definition_body=stepfunctions.DefinitionBody.from_string(DEFINITION.read_text()),
            definition_substitutions=dict(substitutions),
            role=self.role,
            state_machine_type=stepfunctions.StateMachineType.STANDARD,
            timeout=LIMIT,
            tracing_enabled=True,
            # Without the data: a log must not hold task tokens.
            logs=stepfunctions.LogOptions(
                destination=log_group,
                level=stepfunctions.LogLevel.ALL,
                include_execution_data=False,
            ),
        )

    @property
    def executions_arn(self) -> str:
        """Every execution of this machine."""
        return cdk.Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.machine.state_machine_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    def park_with(self, function: lambda_.Function) -> None:
        """Let `function` hear of every execution that ended without an answer."""
        events.Rule(
            self,
            "NotSucceeded",
            description="An execution failed, timed out or was aborted: park its incident",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [self.machine.state_machine_arn],
                },
            ),
            targets=[targets.LambdaFunction(function)],
        )

    def sweep_with(self, function: lambda_.Function) -> None:
        """Let `function` look every minute for what was recorded and did not go on."""
        events.Rule(
            self,
            "EveryMinute",
            description="Sweep up what was recorded and did not go on",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[targets.LambdaFunction(function)],
        )

    def alarm(self, topic: sns.ITopic, watched: Mapping[str, cloudwatch.Metric]) -> None:
        """Tell `topic` of executions that failed or timed out, and of `watched` above zero."""
        metrics = {
            "ExecutionsFailed": self.machine.metric_failed(),
            "ExecutionsTimedOut": self.machine.metric_timed_out(),
            **watched,
        }
        for name, metric in metrics.items():
            cloudwatch.Alarm(
                self,
                name,
                metric=metric.with_(statistic="Sum", period=cdk.Duration.minutes(1)),
                threshold=1,
                evaluation_periods=1,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            ).add_alarm_action(actions.SnsAction(topic))
