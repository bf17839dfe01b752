"""Who may do what: every grant of the product, written by hand. Law 9.

A role may keep its own log and nothing else until a line here says so; the tests read the
synthesised templates and hold them against the laws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets

from . import powers, reach
from .approvals import Approvals
from .builds import Build, cache_prefix
from .functions import Function
from .powers import allow
from .reach import Reach
from .storage import Storage
from .workflow import Workflow


@dataclass(frozen=True)
class Grants:
    """The parts of the stack, all in sight."""

    storage: Storage
    approvals: Approvals
    workflow: Workflow
    steps: Mapping[str, Function]
    doors: Mapping[str, Function]
    builds: Mapping[str, Build]
    code: assets.Asset
    workloads: assets.Asset

    def give(self, reaches: Sequence[Reach]) -> None:
        """Grant everything."""
        self._records()
        self._decisions()
        self._builds()
        for workload in reaches:
            self._reach(workload)

    def _records(self) -> None:
        """Who is told of a thing may use it; each state writes the documents of its own."""
        storage = self.storage
        workloads = self.workloads.bucket.arn_for_objects(self.workloads.s3_object_key)
        allow(self._told("WORKLOADS"), "s3:GetObject", on=workloads)
        powers.keep_items(self._told("INCIDENTS_TABLE"), storage.incidents)
        powers.read_artifacts(self._told("ARTIFACTS_BUCKET"), storage.artifacts, "incidents/*")
        for name, documents in {
            "QueryTraces": ("evidence",),
            "Diagnose": ("diagnosis",),
            "ProposePatch": ("change", "patch"),
            "Preview": ("preview",),
            "RequestApproval": ("proposal",),
            "Deploy": ("update", "rollback"),
            "Verify": ("verdict-*",),
            "CloseIncident": ("record",),
        }.items():
            powers.write_documents(self._roles(name), storage.artifacts, *documents)
        programs = self._roles("ProposePatch", "Preview", "Deploy")
        powers.read_artifacts(programs, storage.artifacts, "programs/*")
        powers.read_secret(self._told("HONEYCOMB_SECRET"), storage.honeycomb_secret)
        powers.read_secret(self._told("WEBHOOK_SECRET"), storage.webhook_secret)
        allow(self._told("BRAKES_PARAMETER"), "ssm:GetParameter", on=storage.brakes.parameter_arn)
        topics = [topic.topic_arn for topic in self.approvals.approver_topics.values()]
        allow(self._told("APPROVER_TOPICS"), "sns:Publish", on=topics)
        operators = self.approvals.operators_topic.topic_arn
        allow(self._told("OPERATORS_TOPIC"), "sns:Publish", on=operators)
        powers.let_alarms_publish(self.approvals.operators_topic)
        # Metrics are no resources.
        allow(self._roles("QueryTraces"), "cloudwatch:GetMetricData", on="*")

    def _decisions(self) -> None:
        """Who asks, who decides, who believes it. Law 5: only the approval route makes a MAC."""
        requests, key = self.approvals.requests, self.approvals.mac_key.key_arn
        machine = self.workflow.machine.state_machine_arn
        # Who asks makes links and decides nothing, who decides makes no links, who delivers does
        # neither. A request holds the task token: the deploy job reads decisions only.
        asks, decides, delivers = (self._roles(n) for n in ("RequestApproval", "Approval", "Sweep"))
        powers.use_items(asks, requests, ["PutItem"], "request", "link")
        powers.use_items(asks, requests, ["DeleteItem"], "decision")
        powers.use_items(decides, requests, ["GetItem"], "request", "link", "decision")
        powers.use_items(decides, requests, ["PutItem"], "decision")
        powers.use_items(decides, requests, ["UpdateItem"], "link", "decision")
        # The first decision wins in a transaction that also checks that its link is the newest.
        powers.use_items(decides, requests, ["ConditionCheckItem"], "request")
        powers.use_items(delivers, requests, ["GetItem"], "request", "decision")
        powers.use_items(delivers, requests, ["UpdateItem"], "decision")
        powers.use_items(self._roles("Deploy"), requests, ["GetItem"], "decision")
        allow(self._roles("Approval"), "kms:GenerateMac", on=key)
        powers.let_nobody_else_sign(self.approvals.mac_key, self._roles("Approval"))
        allow(self._roles("Deploy"), "kms:VerifyMac", on=key)
        wake = ("states:SendTaskSuccess", "states:SendTaskFailure")
        allow(self._roles("Approval", "Sweep"), *wake, on=machine)
        allow(self._roles("HoneycombWebhook", "Sweep"), "states:StartExecution", on=machine)
        history = self.workflow.executions_arn
        allow(self._roles("ParkIncident"), "states:GetExecutionHistory", on=history)
        powers.find_waiting(self._roles("Sweep"), self.storage.incidents)
        powers.find_waiting(self._roles("Sweep"), requests)

    def _builds(self) -> None:
        """Only the workflow starts builds; only the deploy build changes anything."""
        functions = [step.function.function_arn for step in self.steps.values()]
        allow([self.workflow.role], "lambda:InvokeFunction", on=functions)
        powers.hear_of_builds(self.workflow.role)
        subject = ("INCIDENT", "ATTEMPT", "WORKLOAD")
        for name, variables in {"Preview": subject, "Deploy": (*subject, "STEP")}.items():
            powers.run_build(self.workflow.role, self.builds[name].project, variables)
        # CodeBuild downloads its source with these, in the build's role.
        source = self.code.bucket.arn_for_objects(self.code.s3_object_key)
        both = self._roles("Preview", "Deploy")
        allow(both, "s3:GetObject", "s3:GetObjectVersion", on=source)
        location = ("s3:GetBucketAcl", "s3:GetBucketLocation")
        allow(both, *location, on=self.code.bucket.bucket_arn)
        reach.read_resources(both)
        for name in self.builds:
            cache = self.storage.artifacts.arn_for_objects(f"{cache_prefix(name)}/*")
            allow(self._roles(name), "s3:GetObject", "s3:PutObject", on=cache)
        # The program that was applied is the program from then on.
        programs = self.storage.artifacts.arn_for_objects("programs/*")
        allow(self._roles("Deploy"), "s3:PutObject", on=programs)
        # To tell the lock that an own, ended build left from somebody else's.
        own = self.builds["Deploy"].project.project_arn
        allow(self._roles("Deploy"), "codebuild:BatchGetBuilds", on=own)

    def _reach(self, workload: Reach) -> None:
        """What one workload lets us see and change."""
        reach.read_state(self._roles("Preview", "Deploy"), workload)
        reach.see_service(self._roles("AwaitRollout"), workload)
        reach.write_state(self._roles("Deploy"), workload)
        reach.change_task_size(self._roles("Deploy"), workload)

    def _parts(self) -> dict[str, Function | Build]:
        return {**self.steps, **self.doors, **self.builds}

    def _roles(self, *names: str) -> list[iam.Role]:
        """The roles of these states, routes, events and builds."""
        return [self._parts()[name].role for name in names]

    def _told(self, variable: str) -> list[iam.Role]:
        """The roles of everybody who is told of a thing."""
        return [part.role for part in self._parts().values() if variable in part.told]
