"""Amazon CloudWatch Logs: log group."""

# ruff: noqa: ARG002  (every type has the signatures of Resource)

from __future__ import annotations

from typing import Any, ClassVar

from .difference import Inputs
from .resource import Resource, State, aws, dropped, pick


class LogGroup(Resource):
    """aws:cloudwatch/logGroup:LogGroup. ForceNew in logs/group.go as in `replaces`."""

    name_limit = 512
    defaults: ClassVar = {"retentionInDays": 0, "skipDestroy": False}
    replaces: ClassVar = frozenset({"name", "namePrefix", "logGroupClass"})

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Create the group; its id is its name."""
        aws("logs").create_log_group(
            logGroupName=inputs["name"],
            **pick(inputs, "tags", "logGroupClass", "kmsKeyId"),
        )
        self._keep(inputs)
        return inputs["name"], {"arn": self._arn(self._group(inputs["name"]) or {})}

    def read(self, identity: str, state: State) -> State | None:
        """Retention 0, in the provider's terms, is never to expire."""
        group = self._group(identity)
        if group is None:
            return None
        arn = self._arn(group)
        tags = aws("logs").list_tags_for_resource(resourceArn=arn).get("tags")
        return {
            "arn": arn,
            "name": group["logGroupName"],
            "retentionInDays": group.get("retentionInDays", 0),
            "tags": tags or None,
        }

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Retention and tags change in place."""
        if "retentionInDays" in changed:
            self._keep(inputs)
        if gone := dropped(inputs, old):
            aws("logs").untag_resource(resourceArn=old["arn"], tagKeys=gone)
        if "tags" in changed and inputs.get("tags"):
            aws("logs").tag_resource(resourceArn=old["arn"], tags=inputs["tags"])

    def delete(self, identity: str, state: State) -> None:
        """Delete it and what was logged, unless the program keeps it."""
        if not state.get("skipDestroy"):
            aws("logs").delete_log_group(logGroupName=identity)

    def _keep(self, inputs: Inputs) -> None:
        if inputs.get("retentionInDays"):
            aws("logs").put_retention_policy(
                logGroupName=inputs["name"], retentionInDays=inputs["retentionInDays"]
            )
        else:
            aws("logs").delete_retention_policy(logGroupName=inputs["name"])

    def _group(self, name: str) -> dict[str, Any] | None:
        found = aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return next((group for group in found if group["logGroupName"] == name), None)

    def _arn(self, group: dict[str, Any]) -> str:
        return str(group.get("arn", "")).removesuffix(":*")
