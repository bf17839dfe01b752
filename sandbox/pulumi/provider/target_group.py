"""Elastic Load Balancing v2: target group."""

# ruff: noqa: ARG002  (every type has the signatures of Resource)

from __future__ import annotations

from typing import Any, ClassVar

from .difference import Inputs
from .elbv2 import attributes_of, live_tags, retag, suffix
from .resource import Resource, State, aws, pick, tag_list


class TargetGroup(Resource):
    """aws:lb/targetGroup:TargetGroup. ForceNew in elbv2/target_group.go as in `replaces`."""

    name_limit = 32
    replaces: ClassVar = frozenset(
        {
            "name",
            "namePrefix",
            "ipAddressType",
            "port",
            "protocol",
            "protocolVersion",
            "targetType",
            "vpcId",
        }
    )
    defaults: ClassVar = {"deregistrationDelay": 300, "targetType": "instance"}
    computed: ClassVar = ("arn", "arnSuffix")
    attributes: ClassVar = {"deregistrationDelay": "deregistration_delay.timeout_seconds"}
    health: ClassVar = {
        "enabled": "HealthCheckEnabled",
        "healthyThreshold": "HealthyThresholdCount",
        "interval": "HealthCheckIntervalSeconds",
        "path": "HealthCheckPath",
        "port": "HealthCheckPort",
        "protocol": "HealthCheckProtocol",
        "timeout": "HealthCheckTimeoutSeconds",
        "unhealthyThreshold": "UnhealthyThresholdCount",
    }

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Create it; its id is its ARN."""
        group = aws("elbv2").create_target_group(
            Name=inputs["name"],
            Tags=tag_list(inputs.get("tags"), "Key", "Value"),
            **pick(
                inputs,
                Port="port",
                Protocol="protocol",
                TargetType="targetType",
                VpcId="vpcId",
            ),
            **self._health(inputs),
        )["TargetGroups"][0]
        arn = group["TargetGroupArn"]
        self._configure(arn, inputs)
        return arn, {"arn": arn, "arnSuffix": suffix(arn)}

    def read(self, identity: str, state: State) -> State | None:
        """TargetGroupNotFound says it is gone."""
        elb = aws("elbv2")
        group = elb.describe_target_groups(TargetGroupArns=[identity])["TargetGroups"][0]
        found = elb.describe_target_group_attributes(TargetGroupArn=identity)["Attributes"]
        values = {attribute["Key"]: attribute["Value"] for attribute in found}
        return {
            "arn": identity,
            "arnSuffix": suffix(identity),
            "name": group["TargetGroupName"],
            **pick(group, port="Port", protocol="Protocol", targetType="TargetType", vpcId="VpcId"),
            "deregistrationDelay": int(values[self.attributes["deregistrationDelay"]]),
            "healthCheck": pick(group, **self.health)
            | {"matcher": group.get("Matcher", {}).get("HttpCode")},
            "tags": live_tags(identity),
        }

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Health check, drain time and tags change in place."""
        if "healthCheck" in changed:
            aws("elbv2").modify_target_group(TargetGroupArn=identity, **self._health(inputs))
        if changed & {*self.attributes}:
            self._configure(identity, inputs)
        retag(identity, inputs, old, changed)

    def delete(self, identity: str, state: State) -> None:
        """Refused by the service while a listener forwards to it."""
        aws("elbv2").delete_target_group(TargetGroupArn=identity)

    def _health(self, inputs: Inputs) -> dict[str, Any]:
        check = inputs.get("healthCheck") or {}
        matcher = {"Matcher": {"HttpCode": check["matcher"]}} if check.get("matcher") else {}
        return pick(check, **{new: old for old, new in self.health.items()}) | matcher

    def _configure(self, arn: str, inputs: Inputs) -> None:
        if attributes := attributes_of(inputs, self.attributes):
            aws("elbv2").modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
