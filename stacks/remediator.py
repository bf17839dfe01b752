"""The one stack: what there is, and who may do what. Every grant stands here. Law 9."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets
from aws_cdk.aws_apigatewayv2 import HttpMethod
from constructs import Construct

from . import powers, reach
from .approvals import Approvals
from .asset import ARCHITECTURE, PYTHON, Asset
from .builds import Build
from .functions import DOORS, RECORD, STEPS, Function, Platform, Spec
from .intake import Intake
from .powers import allow
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
        self.workloads = assets.Asset(self, "Workloads", path=str(workloads))
        self.storage = Storage(self, "Storage")
        self.approvals = Approvals(self, "Approvals", approvers=approvers, operators=operators)
        self.intake = Intake(self, "Intake")

        self.steps = self._functions(STEPS)
        self.preview, self.deploy = self._builds()
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

        self._grant_records()
        self._grant_decisions()
        self._grant_builds()
        for workload in reaches:
            self._grant_reach(workload)
        for key, value in self._outputs().items():
            cdk.CfnOutput(self, key, value=value)

    # -------------------------------------------------- what there is, and what it is told

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

    def _builds(self) -> tuple[Build, Build]:
        """One that can only read, one that may write."""
        decided = ("APPROVALS_TABLE", "MAC_KEY", "BRAKES_PARAMETER")
        preview = Build(
            self,
            "Preview",
            buildspec="preview.yml",
            source=self.code,
            environment=self._environment(RECORD),
            timeout=cdk.Duration.minutes(30),
        )
        deploy = Build(
            self,
            "Deploy",
            buildspec="deploy.yml",
            source=self.code,
            environment=self._environment((*RECORD, *decided)),
            timeout=cdk.Duration.minutes(60),
        )
        return preview, deploy

    def _open_doors(self) -> None:
        webhook, approval = self.doors["HoneycombWebhook"], self.doors["Approval"]
        self.intake.route("/webhooks/honeycomb", [HttpMethod.POST], webhook)
        methods = [HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST]
        self.intake.route("/approvals/{link}", methods, approval)
        self.workflow.park_with(self.doors["ParkIncident"].function)
        self.workflow.sweep_with(self.doors["Sweep"].function)
        errors = {
            f"{name}Errors": door.function.metric_errors() for name, door in self.doors.items()
        }
        self.workflow.alarm(self.approvals.operators_topic, errors)

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

    # -------------------------------------------------- who may do what

    def _roles(self, *names: str) -> list[iam.Role]:
        everybody = {
            **{name: function.role for name, function in {**self.steps, **self.doors}.items()},
            "Preview": self.preview.role,
            "Deploy": self.deploy.role,
        }
        return [everybody[name] for name in names or everybody]

    def _grant_records(self) -> None:
        """Everybody keeps the incident's record; each writes the documents of its own state."""
        storage = self.storage
        workloads = self.workloads.bucket.arn_for_objects(self.workloads.s3_object_key)
        powers.keep_items(self._roles(), storage.incidents)
        allow(self._roles(), "s3:GetObject", on=workloads)
        powers.read_artifacts(self._roles(), storage.artifacts, "incidents/*")
        for name, documents in {
            "QueryTraces": ("evidence",),
            "Diagnose": ("diagnosis",),
            "ProposePatch": ("change", "patch"),
            "Preview": ("preview",),
            "RequestApproval": ("proposal",),
            "Deploy": ("update", "rollback"),
            "Verify": ("verdict-*",),
        }.items():
            powers.write_documents(self._roles(name), storage.artifacts, *documents)
        powers.read_artifacts(
            self._roles("ProposePatch", "Preview", "Deploy"), storage.artifacts, "programs/*"
        )
        powers.read_secret(
            self._roles("QueryTraces", "ConfirmBurn", "Verify", "CloseIncident"),
            storage.honeycomb_secret,
        )
        powers.read_secret(self._roles("HoneycombWebhook"), storage.webhook_secret)
        # Metrics are no resources.
        allow(self._roles("QueryTraces", "Verify"), "cloudwatch:GetMetricData", on="*")

    def _grant_decisions(self) -> None:
        """Who asks, who decides, who believes it. Law 5: only the approval route makes a MAC."""
        requests, key = self.approvals.requests, self.approvals.mac_key.key_arn
        machine = self.workflow.machine.state_machine_arn
        powers.keep_items(self._roles("RequestApproval", "Approval", "Sweep"), requests)
        allow(self._roles("Deploy"), "dynamodb:GetItem", on=requests.table_arn)
        allow(self._roles("Approval"), "kms:GenerateMac", on=key)
        allow(self._roles("Deploy", "Sweep"), "kms:VerifyMac", on=key)
        allow(
            self._roles("Approval", "Sweep"),
            "states:SendTaskSuccess",
            "states:SendTaskFailure",
            on=machine,
        )
        allow(self._roles("HoneycombWebhook", "Sweep"), "states:StartExecution", on=machine)
        allow(
            self._roles("ParkIncident"),
            "states:GetExecutionHistory",
            on=self.workflow.executions_arn,
        )
        powers.find_waiting(self._roles("Sweep"), self.storage.incidents)
        powers.find_waiting(self._roles("Sweep"), requests)
        allow(
            self._roles("ProposePatch", "RequestApproval", "ConfirmBurn", "Deploy"),
            "ssm:GetParameter",
            on=self.storage.brakes.parameter_arn,
        )

        operators = self.approvals.operators_topic.topic_arn
        approvers = [topic.topic_arn for topic in self.approvals.approver_topics.values()]
        allow(
            self._roles("RequestApproval", "CloseIncident", "ParkIncident", "Sweep"),
            "sns:Publish",
            on=[operators, *approvers],
        )
        allow(self._roles("HoneycombWebhook", "Approval"), "sns:Publish", on=operators)

    def _grant_builds(self) -> None:
        """Only the workflow starts builds; only the deploy build changes anything."""
        projects = [self.preview.project, self.deploy.project]
        functions = [step.function.function_arn for step in self.steps.values()]
        allow([self.workflow.role], "lambda:InvokeFunction", on=functions)
        powers.run_builds([self.workflow.role], projects)
        source = self.code.bucket.arn_for_objects(self.code.s3_object_key)
        allow(self._roles("Preview", "Deploy"), "s3:GetObject", on=source)
        reach.read_resources(self._roles("Preview", "Deploy"))
        # The program that was applied is the program from then on.
        allow(
            self._roles("Deploy"),
            "s3:PutObject",
            on=self.storage.artifacts.arn_for_objects("programs/*"),
        )
        # To tell the lock that an own, ended build left from somebody else's.
        allow(self._roles("Deploy"), "codebuild:BatchGetBuilds", on=self.deploy.project.project_arn)

    def _grant_reach(self, workload: Reach) -> None:
        """What one workload lets us see and change."""
        reach.read_state(self._roles("Preview", "Deploy"), workload)
        reach.see_service(self._roles("AwaitRollout"), workload)
        reach.write_state(self._roles("Deploy"), workload)
        reach.change_task_size(self._roles("Deploy"), workload)
