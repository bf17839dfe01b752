"""Elastic Load Balancing v2: load balancer, target group, listener."""

# ruff: noqa: ARG002  (every type has the signatures of Resource)

from __future__ import annotations

from typing import Any, ClassVar

from .difference import Inputs
from .resource import Resource, State, aws, dropped, pick, tag_list, tag_map


def _tags(arn: str) -> Any:
    found = aws("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return tag_map(found[0]["Tags"], "Key", "Value") if found else None


def _retag(arn: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
    if gone := dropped(inputs, old):
        aws("elbv2").remove_tags(ResourceArns=[arn], TagKeys=gone)
    if "tags" in changed and inputs.get("tags"):
        aws("elbv2").add_tags(ResourceArns=[arn], Tags=tag_list(inputs["tags"], "Key", "Value"))


def _suffix(arn: str) -> str:
    """The part of the ARN that CloudWatch's dimensions want."""
    return arn.rsplit(":", 1)[1].removeprefix("loadbalancer/")


def _attributes(inputs: Inputs, names: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"Key": key, "Value": str(inputs[name]).lower()}
        for name, key in names.items()
        if inputs.get(name) is not None
    ]


class LoadBalancer(Resource):
    """aws:lb/loadBalancer:LoadBalancer. ForceNew in elbv2/load_balancer.go as in `replaces`."""

    name_limit = 32
    replaces: ClassVar = frozenset(
        {"name", "namePrefix", "internal", "loadBalancerType", "customerOwnedIpv4Pool"}
    )
    defaults: ClassVar = {
        "enableDeletionProtection": False,
        "idleTimeout": 60,
        "loadBalancerType": "application",
    }
    unordered: ClassVar = frozenset({"securityGroups", "subnets"})
    computed: ClassVar = ("arn", "arnSuffix", "dnsName", "vpcId", "zoneId")
    attributes: ClassVar = {
        "idleTimeout": "idle_timeout.timeout_seconds",
        "enableDeletionProtection": "deletion_protection.enabled",
    }

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Create it; its id is its ARN."""
        balancer = aws("elbv2").create_load_balancer(
            Name=inputs["name"],
            Type=inputs.get("loadBalancerType", "application"),
            Scheme="internal" if inputs.get("internal") else "internet-facing",
            Tags=tag_list(inputs.get("tags"), "Key", "Value"),
            **pick(
                inputs,
                Subnets="subnets",
                SecurityGroups="securityGroups",
                IpAddressType="ipAddressType",
            ),
        )["LoadBalancers"][0]
        arn = balancer["LoadBalancerArn"]
        self._configure(arn, inputs)
        return arn, self._outputs(balancer)

    def read(self, identity: str, state: State) -> State | None:
        """LoadBalancerNotFound says it is gone."""
        elb = aws("elbv2")
        balancer = elb.describe_load_balancers(LoadBalancerArns=[identity])["LoadBalancers"][0]
        found = elb.describe_load_balancer_attributes(LoadBalancerArn=identity)["Attributes"]
        values = {attribute["Key"]: attribute["Value"] for attribute in found}
        protection = values.get(self.attributes["enableDeletionProtection"])
        return {
            **self._outputs(balancer),
            "name": balancer["LoadBalancerName"],
            "internal": balancer["Scheme"] == "internal",
            "loadBalancerType": balancer["Type"],
            "securityGroups": balancer.get("SecurityGroups"),
            "subnets": [zone["SubnetId"] for zone in balancer["AvailabilityZones"]],
            "idleTimeout": int(values.get(self.attributes["idleTimeout"], 60)),
            "enableDeletionProtection": protection == "true",
            "tags": _tags(identity),
        }

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Subnets, groups, attributes and tags change in place."""
        if "securityGroups" in changed:
            aws("elbv2").set_security_groups(
                LoadBalancerArn=identity, SecurityGroups=inputs["securityGroups"]
            )
        if "subnets" in changed:
            aws("elbv2").set_subnets(LoadBalancerArn=identity, Subnets=inputs["subnets"])
        if changed & {*self.attributes}:
            self._configure(identity, inputs)
        _retag(identity, inputs, old, changed)

    def delete(self, identity: str, state: State) -> None:
        """Delete it; its listeners go with it."""
        aws("elbv2").delete_load_balancer(LoadBalancerArn=identity)

    def _configure(self, arn: str, inputs: Inputs) -> None:
        if attributes := _attributes(inputs, self.attributes):
            aws("elbv2").modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)

    def _outputs(self, balancer: dict[str, Any]) -> State:
        return {
            "arn": balancer["LoadBalancerArn"],
            "arnSuffix": _suffix(balancer["LoadBalancerArn"]),
            "dnsName": balancer["DNSName"],
            "vpcId": balancer.get("VpcId"),
            "zoneId": balancer.get("CanonicalHostedZoneId"),
        }


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
        return arn, {"arn": arn, "arnSuffix": _suffix(arn)}

    def read(self, identity: str, state: State) -> State | None:
        """TargetGroupNotFound says it is gone."""
        elb = aws("elbv2")
        group = elb.describe_target_groups(TargetGroupArns=[identity])["TargetGroups"][0]
        found = elb.describe_target_group_attributes(TargetGroupArn=identity)["Attributes"]
        values = {attribute["Key"]: attribute["Value"] for attribute in found}
        return {
            "arn": identity,
            "arnSuffix": _suffix(identity),
            "name": group["TargetGroupName"],
            **pick(group, port="Port", protocol="Protocol", targetType="TargetType", vpcId="VpcId"),
            "deregistrationDelay": int(values[self.attributes["deregistrationDelay"]]),
            "healthCheck": pick(group, **self.health)
            | {"matcher": group.get("Matcher", {}).get("HttpCode")},
            "tags": _tags(identity),
        }

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Health check, drain time and tags change in place."""
        if "healthCheck" in changed:
            aws("elbv2").modify_target_group(TargetGroupArn=identity, **self._health(inputs))
        if changed & {*self.attributes}:
            self._configure(identity, inputs)
        _retag(identity, inputs, old, changed)

    def delete(self, identity: str, state: State) -> None:
        """Refused by the service while a listener forwards to it."""
        aws("elbv2").delete_target_group(TargetGroupArn=identity)

    def _health(self, inputs: Inputs) -> dict[str, Any]:
        check = inputs.get("healthCheck") or {}
        matcher = {"Matcher": {"HttpCode": check["matcher"]}} if check.get("matcher") else {}
        return pick(check, **{new: old for old, new in self.health.items()}) | matcher

    def _configure(self, arn: str, inputs: Inputs) -> None:
        if attributes := _attributes(inputs, self.attributes):
            aws("elbv2").modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)


class Listener(Resource):
    """aws:lb/listener:Listener. ForceNew in elbv2/listener.go: load_balancer_arn."""

    auto_name = None
    required: ClassVar = ("loadBalancerArn", "defaultActions")
    replaces: ClassVar = frozenset({"loadBalancerArn"})

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Create it; its id is its ARN."""
        listener = aws("elbv2").create_listener(
            LoadBalancerArn=inputs["loadBalancerArn"],
            Tags=tag_list(inputs.get("tags"), "Key", "Value"),
            **self._settings(inputs),
        )["Listeners"][0]
        return listener["ListenerArn"], {"arn": listener["ListenerArn"]}

    def read(self, identity: str, state: State) -> State | None:
        """ListenerNotFound, or an empty answer, says it is gone."""
        found = aws("elbv2").describe_listeners(ListenerArns=[identity])["Listeners"]
        if not found:
            return None
        return {
            "arn": identity,
            **pick(found[0], loadBalancerArn="LoadBalancerArn", port="Port", protocol="Protocol"),
            "defaultActions": [
                pick(action, type="Type", targetGroupArn="TargetGroupArn")
                for action in found[0]["DefaultActions"]
            ],
            "tags": _tags(identity),
        }

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Everything but the load balancer changes in place."""
        if changed - {"tags"}:
            aws("elbv2").modify_listener(ListenerArn=identity, **self._settings(inputs))
        _retag(identity, inputs, old, changed)

    def delete(self, identity: str, state: State) -> None:
        """Delete it."""
        aws("elbv2").delete_listener(ListenerArn=identity)

    def _settings(self, inputs: Inputs) -> dict[str, Any]:
        actions = [
            pick(action, Type="type", TargetGroupArn="targetGroupArn")
            for action in inputs["defaultActions"]
        ]
        return pick(inputs, Port="port", Protocol="protocol") | {"DefaultActions": actions}
