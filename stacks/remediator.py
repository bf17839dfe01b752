"""The one stack: what there is, and what each part is told. Who may do what is in grants.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets
from aws_cdk.aws_apigatewayv2 import HttpMethod
from constructs import Construct

from .approvals import Approvals
from .asset import ARCHITECTURE, PYTHON, Asset
from .builds import Build
from .functions import DEPLOY, DOORS, PREVIEW, STEPS, Function, Platform, Spec
from .grants import Grants
from .intake import Intake
from .reach import Reach
from .storage import Storage
from .workflow import Workflow


class Remediator(cdk.Stack):
    """Backburn, whole."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        workloads: Path,
        reaches: Sequence[Reach],
        approvers: Sequence[str],
        operators: Sequence[str],
        asset: Asset,
        **stack: Any,
    ) -> None:
        super().__init__(scope, name, **stack)
        self.honeycomb_url = cdk.CfnParameter(
            self,
            "HoneycombUrl",
            default="https://api.honeycomb.io",
            description="Honeycomb's API; https://api.eu1.honeycomb.io for the European one",
        )
        self.code = assets.Asset(self, "Code", path=str(asset.zipped), asset_hash=asset.digest)
        cdk.Annotations.of(self.code.bucket).acknowledge_warning(
            "@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified",
            "the key is the hash of the content: other content has another key",
        )
        self.workloads = assets.Asset(self, "Workloads", path=str(workloads))
        self.storage = Storage(self, "Storage")
        self.approvals = Approvals(self, "Approvals", approvers=approvers, operators=operators)
        self.intake = Intake(self, "Intake")

        self.steps = self._functions(STEPS)
        self.preview = self._build("Preview", PREVIEW, 30)
        self.deploy = self._build("Deploy", DEPLOY, 60)
        self.workflow = Workflow(
            self,
            "Workflow",
            substitutions={
                **{name: step.function.function_arn for name, step in self.steps.items()},
                "PreviewProject": self.preview.project.project_name,
                "DeployProject": self.deploy.project.project_name,
            },
        )
        self.doors = self._functions(DOORS)
        self._open_doors()

        Grants(
            storage=self.storage,
            approvals=self.approvals,
            workflow=self.workflow,
            steps=self.steps,
            doors=self.doors,
            builds={"Preview": self.preview, "Deploy": self.deploy},
            code=self.code,
            workloads=self.workloads,
        ).give(reaches)
        for key, value in self._outputs().items():
            cdk.CfnOutput(self, key, value=value)

    def _functions(self, specs: Sequence[Spec]) -> dict[str, Function]:
        platform = Platform(
            code=lambda_.Code.from_bucket(self.code.bucket, self.code.s3_object_key),
            runtime=lambda_.Runtime(f"python{PYTHON}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.custom(ARCHITECTURE),
        )
        return {
            spec.name: Function(
                self, spec, platform=platform, environment=self._environment(spec.told)
            )
            for spec in specs
        }

    def _build(self, name: str, told: Sequence[str], minutes: int) -> Build:
        return Build(
            self,
            name,
            buildspec=f"{name.lower()}.yml",
            source=self.code,
            told=told,
            environment=self._environment(told),
            cache=self.storage.artifacts,
            timeout=cdk.Duration.minutes(minutes),
        )

    def _open_doors(self) -> None:
        webhook, approval = self.doors["HoneycombWebhook"], self.doors["Approval"]
        methods = [HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST]
        unavailable = {
            "HoneycombWebhookUnavailable": self.intake.route(
                "/webhooks/honeycomb", [HttpMethod.POST], webhook
            ),
            "ApprovalUnavailable": self.intake.route("/approvals/{link}", methods, approval),
        }
        self.workflow.park_with(self.doors["ParkIncident"].function)
        self.workflow.sweep_with(self.doors["Sweep"].function)
        errors = {
            f"{name}Errors": door.function.metric_errors() for name, door in self.doors.items()
        }
        self.workflow.alarm(self.approvals.operators_topic, errors | unavailable)

    def _environment(self, names: Sequence[str]) -> dict[str, str]:
        values: Mapping[str, Callable[[], str]] = {
            "INCIDENTS_TABLE": lambda: self.storage.incidents.table_name,
            "APPROVALS_TABLE": lambda: self.approvals.requests.table_name,
            "ARTIFACTS_BUCKET": lambda: self.storage.artifacts.bucket_name,
            "WORKLOADS": lambda: self.workloads.s3_object_url,
            "MAC_KEY": lambda: self.approvals.mac_key.key_arn,
            "STATE_MACHINE": lambda: self.workflow.machine.state_machine_arn,
            "WEBHOOK_SECRET": lambda: self.storage.webhook_secret.secret_arn,
            "HONEYCOMB_SECRET": lambda: self.storage.honeycomb_secret.secret_arn,
            "HONEYCOMB_URL": lambda: self.honeycomb_url.value_as_string,
            "API_URL": lambda: self.intake.url,
            "OPERATORS_TOPIC": lambda: self.approvals.operators_topic.topic_arn,
            "APPROVER_TOPICS": lambda: self.approvals.topic_arns,
            "BRAKES_PARAMETER": lambda: self.storage.brakes.parameter_name,
        }
        return {f"BACKBURN_{name}": values[name]() for name in names}

    def _outputs(self) -> dict[str, str]:
        """What an operator, the CLI and the sandbox need to know."""
        return {
            "ApiUrl": self.intake.url,
            "StateMachineArn": self.workflow.machine.state_machine_arn,
            "IncidentsTable": self.storage.incidents.table_name,
            "ApprovalsTable": self.approvals.requests.table_name,
            "ArtifactsBucket": self.storage.artifacts.bucket_name,
            "WorkloadsUrl": self.workloads.s3_object_url,
            "WebhookSecretArn": self.storage.webhook_secret.secret_arn,
            "HoneycombSecretArn": self.storage.honeycomb_secret.secret_arn,
            "OperatorsTopic": self.approvals.operators_topic.topic_arn,
            "ApproverTopics": self.approvals.topic_arns,
            "BrakesParameter": self.storage.brakes.parameter_name,
            "MacKey": self.approvals.mac_key.key_arn,
            "PreviewProject": self.preview.project.project_name,
            "DeployProject": self.deploy.project.project_name,
        }
