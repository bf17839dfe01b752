"""The one stack: what there is, what each part is told, and who may do what. Law 9."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets
from aws_cdk.aws_apigatewayv2 import HttpMethod
from constructs import Construct

from . import powers, reach
from .approvals import Approvals
from .asset import ARCHITECTURE, PYTHON, Asset
from .builds import Build
from .function import Function, Platform
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
        self.reaches = reaches
        self.honeycomb_url = cdk.CfnParameter(
            self,
            "HoneycombUrl",
            default="https://api.honeycomb.io",
            description="Honeycomb's API; https://api.eu1.honeycomb.io for the European one",
        )
        self.code = assets.Asset(self, "Code", path=str(asset.zipped), asset_hash=asset.digest)
        self.platform = Platform(
            code=lambda_.Code.from_bucket(self.code.bucket, self.code.s3_object_key),
            runtime=lambda_.Runtime(f"python{PYTHON}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.custom(ARCHITECTURE),
        )
        self.workloads = assets.Asset(self, "Workloads", path=str(workloads))
        self.storage = Storage(self, "Storage")
        self.approvals = Approvals(self, "Approvals", approvers=approvers, operators=operators)
        self.intake = Intake(self, "Intake")
        self._steps()
        self._builds()
        self._workflow()
        self._routes()
        self._events()
        self._grants()
        self._outputs()

    # -------------------------------------------------- what there is, and what it is told

    def _steps(self) -> None:
        """The Lambda states of the workflow."""
        record = ("INCIDENTS_TABLE", "ARTIFACTS_BUCKET", "WORKLOADS")
        honeycomb = ("HONEYCOMB_SECRET", "HONEYCOMB_URL")
        mails = ("OPERATORS_TOPIC", "APPROVER_TOPICS")
        brakes = ("BRAKES_PARAMETER",)
        self.query_traces = self._function(
            "QueryTraces", "steps.query_traces", record, honeycomb, seconds=300, memory=1024
        )
        self.diagnose = self._function("Diagnose", "steps.diagnose", record, seconds=300)
        self.propose_patch = self._function(
            "ProposePatch", "steps.propose_patch", record, brakes, seconds=120, memory=1024
        )
        self.request_approval = self._function(
            "RequestApproval",
            "steps.request_approval",
            record,
            mails,
            brakes,
            ("APPROVALS_TABLE", "API_URL"),
            seconds=60,
        )
        self.confirm_burn = self._function(
            "ConfirmBurn", "steps.confirm_burn", record, honeycomb, brakes, seconds=300
        )
        self.await_rollout = self._function(
            "AwaitRollout", "steps.await_rollout", record, seconds=45
        )
        self.verify = self._function(
            "Verify", "steps.verify", record, honeycomb, seconds=300, memory=1024
        )
        self.close_incident = self._function(
            "CloseIncident", "steps.close_incident", record, honeycomb, mails, seconds=60
        )

    def _builds(self) -> None:
        """The two CodeBuild states: one can only read."""
        told = self._environment("INCIDENTS_TABLE", "ARTIFACTS_BUCKET", "WORKLOADS")
        decided = self._environment("APPROVALS_TABLE", "MAC_KEY", "BRAKES_PARAMETER")
        self.preview = Build(
            self,
            "Preview",
            buildspec="preview.yml",
            source=self.code,
            environment=told,
            timeout=cdk.Duration.minutes(30),
        )
        self.deploy = Build(
            self,
            "Deploy",
            buildspec="deploy.yml",
            source=self.code,
            environment=told | decided,
            timeout=cdk.Duration.minutes(60),
        )

    def _workflow(self) -> None:
        """The state machine: states and functions have the same names."""
        functions = (
            self.query_traces,
            self.diagnose,
            self.propose_patch,
            self.request_approval,
            self.confirm_burn,
            self.await_rollout,
            self.verify,
            self.close_incident,
        )
        self.workflow = Workflow(
            self,
            "Workflow",
            substitutions={
                **{step.node.id: step.function.function_arn for step in functions},
                "PreviewProject": self.preview.project.project_name,
                "DeployProject": self.deploy.project.project_name,
            },
        )
        allow(
            self.workflow.role,
            "lambda:InvokeFunction",
            on=[step.function.function_arn for step in functions],
        )
        powers.run_builds(self.workflow.role, [self.preview.project, self.deploy.project])

    def _routes(self) -> None:
        """The only HTTP."""
        self.webhook = self._function(
            "HoneycombWebhook",
            "routes.honeycomb_webhook",
            ("INCIDENTS_TABLE", "WORKLOADS", "WEBHOOK_SECRET", "STATE_MACHINE", "OPERATORS_TOPIC"),
            seconds=10,
        )
        self.approval = self._function(
            "Approval",
            "routes.approval",
            ("INCIDENTS_TABLE", "APPROVALS_TABLE", "ARTIFACTS_BUCKET", "WORKLOADS", "MAC_KEY"),
            ("STATE_MACHINE", "OPERATORS_TOPIC"),
            seconds=10,
        )
        self.intake.route("/webhooks/honeycomb", [HttpMethod.POST], self.webhook)
        methods = [HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST]
        self.intake.route("/approvals/{link}", methods, self.approval)

    def _events(self) -> None:
        """What comes by the clock or by EventBridge."""
        self.park = self._function(
            "ParkIncident",
            "events.park_incident",
            ("INCIDENTS_TABLE", "ARTIFACTS_BUCKET", "WORKLOADS", "STATE_MACHINE"),
            ("OPERATORS_TOPIC", "APPROVER_TOPICS"),
            seconds=30,
        )
        self.sweep = self._function(
            "Sweep",
            "events.sweep",
            ("INCIDENTS_TABLE", "APPROVALS_TABLE", "ARTIFACTS_BUCKET", "WORKLOADS"),
            ("STATE_MACHINE", "OPERATORS_TOPIC", "APPROVER_TOPICS", "MAC_KEY"),
            seconds=50,
        )
        self.workflow.park_with(self.park.function)
        self.workflow.sweep_with(self.sweep.function)
        watched = (self.webhook, self.approval, self.park, self.sweep)
        self.workflow.alarm(
            self.approvals.operators_topic,
            {f"{each.node.id}Errors": each.function.metric_errors() for each in watched},
        )

    # -------------------------------------------------- who may do what

    def _grants(self) -> None:
        """Everybody keeps the record; what else there is to reach, few reach."""
        measured = (self.query_traces, self.diagnose, self.confirm_burn, self.verify)
        changing = (self.propose_patch, self.preview, self.deploy, self.await_rollout)
        deciding = (self.request_approval, self.close_incident)
        outside = (self.webhook, self.approval, self.park, self.sweep)
        for each in (*measured, *changing, *deciding, *outside):
            powers.keep_items(each.role, self.storage.incidents)
            allow(each.role, "s3:GetObject", on=self._workloads_arn)

        honeycomb = (self.query_traces, self.confirm_burn, self.verify, self.close_incident)
        for step in honeycomb:
            powers.read_secret(step.role, self.storage.honeycomb_secret)
        powers.read_secret(self.webhook.role, self.storage.webhook_secret)
        for measuring in (self.query_traces, self.verify):
            # CloudWatch's metrics know no resource.
            allow(measuring.role, "cloudwatch:GetMetricData", on="*")

        self._grant_documents()
        self._grant_decisions()
        self._grant_changes()

    def _grant_documents(self) -> None:
        """Everybody writes the documents of their own state, nobody those of another."""
        artifacts = self.storage.artifacts
        documents: list[tuple[Function | Build, tuple[str, ...]]] = [
            (self.query_traces, ("evidence",)),
            (self.diagnose, ("diagnosis",)),
            (self.propose_patch, ("change", "patch")),
            (self.preview, ("preview",)),
            (self.request_approval, ("proposal",)),
            (self.confirm_burn, ()),
            (self.deploy, ("update", "rollback")),
            (self.await_rollout, ()),
            (self.verify, ("verdict-*",)),
            (self.close_incident, ()),
            (self.approval, ()),
            (self.park, ()),
            (self.sweep, ()),
        ]
        for each, written in documents:
            powers.read_artifacts(each.role, artifacts, "incidents/*")
            if written:
                powers.write_documents(each.role, artifacts, *written)
        for reader in (self.propose_patch, self.preview, self.deploy):
            allow(reader.role, "s3:GetObject", on=artifacts.arn_for_objects("programs/*"))
        # The program that was applied is the program from then on.
        allow(self.deploy.role, "s3:PutObject", on=artifacts.arn_for_objects("programs/*"))

    def _grant_decisions(self) -> None:
        """Who asks, who decides, who believes it. Law 5: only the route makes a MAC."""
        requests, key = self.approvals.requests, self.approvals.mac_key.key_arn
        executions = self._executions_arn()
        for each in (self.request_approval, self.approval, self.sweep):
            powers.keep_items(each.role, requests)
        allow(self.deploy.role, "dynamodb:GetItem", on=requests.table_arn)
        allow(self.approval.role, "kms:GenerateMac", on=key)
        for believer in (self.deploy, self.sweep):
            allow(believer.role, "kms:VerifyMac", on=key)
        for each in (self.approval, self.sweep):
            allow(
                each.role,
                "states:SendTaskSuccess",
                "states:SendTaskFailure",
                on=self.workflow.machine.state_machine_arn,
            )
        for each in (self.webhook, self.sweep):
            allow(each.role, "states:StartExecution", on=self.workflow.machine.state_machine_arn)
        allow(self.park.role, "states:GetExecutionHistory", on=executions)
        powers.find_waiting(self.sweep.role, self.storage.incidents)
        powers.find_waiting(self.sweep.role, requests)
        braked = (self.propose_patch, self.request_approval, self.confirm_burn, self.deploy)
        for changing in braked:
            allow(changing.role, "ssm:GetParameter", on=self.storage.brakes.parameter_arn)

        operators = self.approvals.operators_topic.topic_arn
        approvers = [topic.topic_arn for topic in self.approvals.approver_topics.values()]
        for each in (self.request_approval, self.close_incident, self.park, self.sweep):
            allow(each.role, "sns:Publish", on=[operators, *approvers])
        for each in (self.webhook, self.approval):
            allow(each.role, "sns:Publish", on=operators)

    def _grant_changes(self) -> None:
        """Who sees the account's resources, and who alone may change them."""
        for build in (self.preview, self.deploy):
            allow(build.role, "s3:GetObject", on=self._code_arn)
            reach.read_resources(build.role)
            for workload in self.reaches:
                reach.read_state(build.role, workload)
        # To tell a lock that its own earlier build left from somebody else's.
        allow(self.deploy.role, "codebuild:BatchGetBuilds", on=self.deploy.project.project_arn)
        for workload in self.reaches:
            reach.see_service(self.await_rollout.role, workload)
            reach.write_state(self.deploy.role, workload)
            reach.change_task_size(self.deploy.role, workload)

    # -------------------------------------------------- the small print

    def _function(
        self, name: str, module: str, *told: Sequence[str], seconds: int, memory: int = 512
    ) -> Function:
        return Function(
            self,
            name,
            platform=self.platform,
            handler=f"backburn.{module}.handler",
            environment=self._environment(*(value for group in told for value in group)),
            timeout=cdk.Duration.seconds(seconds),
            memory=memory,
        )

    def _environment(self, *names: str) -> dict[str, str]:
        """The values a function or build reads in wiring.py, and only those it needs."""
        storage, approvals = self.storage, self.approvals
        values = {
            "INCIDENTS_TABLE": lambda: storage.incidents.table_name,
            "APPROVALS_TABLE": lambda: approvals.requests.table_name,
            "ARTIFACTS_BUCKET": lambda: storage.artifacts.bucket_name,
            "WORKLOADS": lambda: self.workloads.s3_object_url,
            "MAC_KEY": lambda: approvals.mac_key.key_arn,
            "STATE_MACHINE": lambda: self.workflow.machine.state_machine_arn,
            "WEBHOOK_SECRET": lambda: storage.webhook_secret.secret_arn,
            "HONEYCOMB_SECRET": lambda: storage.honeycomb_secret.secret_arn,
            "HONEYCOMB_URL": lambda: self.honeycomb_url.value_as_string,
            "API_URL": lambda: self.intake.url,
            "OPERATORS_TOPIC": lambda: approvals.operators_topic.topic_arn,
            "APPROVER_TOPICS": lambda: approvals.topic_arns,
            "BRAKES_PARAMETER": lambda: storage.brakes.parameter_name,
        }
        return {f"BACKBURN_{name}": values[name]() for name in names}

    @property
    def _workloads_arn(self) -> str:
        return self.workloads.bucket.arn_for_objects(self.workloads.s3_object_key)

    @property
    def _code_arn(self) -> str:
        return self.code.bucket.arn_for_objects(self.code.s3_object_key)

    def _executions_arn(self) -> str:
        return self.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.workflow.machine.state_machine_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    def _outputs(self) -> None:
        for name, value in {
            "ApiUrl": self.intake.url,
            "StateMachineArn": self.workflow.machine.state_machine_arn,
            "IncidentsTable": self.storage.incidents.table_name,
            "ApprovalsTable": self.approvals.requests.table_name,
            "ArtifactsBucket": self.storage.artifacts.bucket_name,
            "WebhookSecretArn": self.storage.webhook_secret.secret_arn,
            "HoneycombSecretArn": self.storage.honeycomb_secret.secret_arn,
            "OperatorsTopic": self.approvals.operators_topic.topic_arn,
            "ApproverTopics": self.approvals.topic_arns,
            "BrakesParameter": self.storage.brakes.parameter_name,
            "MacKey": self.approvals.mac_key.key_arn,
            "PreviewProject": self.preview.project.project_name,
            "DeployProject": self.deploy.project.project_name,
        }.items():
            cdk.CfnOutput(self, name, value=value)
