"""Elastic Load Balancing v2: load balancer and listener."""

# ruff: noqa: ARG002  (every type has the signatures of Resource)

from __future__ import annotations

from typing import Any, ClassVar

from .difference import Inputs
from .resource import Resource, State, aws, dropped, pick, tag_list, tag_map


def live_tags(arn: str) -> Any:
    """The tags as a program writes them."""
    found = aws("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return tag_map(found[0]["Tags"], "Key", "Value") if found else None


def retag(arn: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
    """Take away the tags that are gone, set the others."""
    if gone := dropped(inputs, old):
        aws("elbv2").remove_tags(ResourceArns=[arn], TagKeys=gone)
    if "tags" in changed and inputs.get("tags"):
        aws("elbv2").add_tags(ResourceArns=[arn], Tags=tag_list(inputs["tags"], "Key", "Value"))


def suffix(arn: str) -> str:
    """The part of the ARN that CloudWatch's dimensions want."""
    return arn.rsplit(":", 1)[1].removeprefix("loadbalancer/")


def attributes_of(inputs: Inputs, names: dict[str, str]) -> list[dict[str, str]]:
    """The properties that the service calls attributes, in its words."""
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
            "tags": live_tags(identity),
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
        retag(identity, inputs, old, changed)

    def delete(self, identity: str, state: State) -> None:
        """Delete it; its listeners go with it."""
        aws("elbv2").delete_load_balancer(LoadBalancerArn=identity)

    def _configure(self, arn: str, inputs: Inputs) -> None:
        if attributes := attributes_of(inputs, self.attributes):
            aws("elbv2").modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)

    def _outputs(self, balancer: dict[str, Any]) -> State:
        return {
            "arn": balancer["LoadBalancerArn"],
            "arnSuffix": suffix(balancer["LoadBalancerArn"]),
            "dnsName": balancer["DNSName"],
            "vpcId": balancer.get("VpcId"),
            "zoneId": balancer.get("CanonicalHostedZoneId"),
        }


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
            "tags": live_tags(identity),
        }

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Everything but the load balancer changes in place."""
        if changed - {"tags"}:
            aws("elbv2").modify_listener(ListenerArn=identity, **self._settings(inputs))
        retag(identity, inputs, old, changed)

    def delete(self, identity: str, state: State) -> None:
        """Delete it."""
        aws("elbv2").delete_listener(ListenerArn=identity)

    def _settings(self, inputs: Inputs) -> dict[str, Any]:
        actions = [
            pick(action, Type="type", TargetGroupArn="targetGroupArn")
            for action in inputs["defaultActions"]
        ]
        return pick(inputs, Port="port", Protocol="protocol") | {"DefaultActions": actions}
