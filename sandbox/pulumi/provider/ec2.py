"""Amazon EC2: security group with its rules."""

# ruff: noqa: ARG002  (every type has the signatures of Resource)

from __future__ import annotations

from typing import Any, ClassVar

from .difference import Inputs
from .resource import Resource, State, aws, dropped, pick, region, tag_list, tag_map

# The whole world, in and out: what a new group's egress is until the provider revokes it.
ANYWHERE = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


class SecurityGroup(Resource):
    """aws:ec2/securityGroup:SecurityGroup.

    ForceNew in ec2/vpc_security_group.go: description, name, name_prefix, vpc_id.
    """

    replaces: ClassVar = frozenset({"name", "namePrefix", "description", "vpcId"})
    unordered: ClassVar = frozenset(
        {
            "ingress",
            "egress",
            "ingress[].cidrBlocks",
            "egress[].cidrBlocks",
            "ingress[].securityGroups",
            "egress[].securityGroups",
        }
    )
    defaults: ClassVar = {"description": "Managed by Pulumi", "revokeRulesOnDelete": False}
    computed: ClassVar = ("arn", "ownerId")

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Create the group with exactly the program's rules; its id is its `sg-...`."""
        ec2 = aws("ec2")
        tags = tag_list(inputs.get("tags"), "Key", "Value")
        group = ec2.create_security_group(
            GroupName=inputs["name"],
            Description=inputs["description"],
            **pick(inputs, VpcId="vpcId"),
            **({"TagSpecifications": [_tagged(tags)]} if tags else {}),
        )["GroupId"]
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[ANYWHERE])
        self._allow(group, "ingress", inputs)
        self._allow(group, "egress", inputs)
        owner = aws("sts").get_caller_identity()["Account"]
        return group, {"arn": self._arn(owner, group), "ownerId": owner}

    def read(self, identity: str, state: State) -> State | None:
        """InvalidGroup.NotFound says it is gone."""
        group = aws("ec2").describe_security_groups(GroupIds=[identity])["SecurityGroups"][0]
        return {
            "arn": self._arn(group["OwnerId"], identity),
            "ownerId": group["OwnerId"],
            "name": group["GroupName"],
            "description": group["Description"],
            "vpcId": group["VpcId"],
            "ingress": _rules(group["IpPermissions"]),
            "egress": _rules(group["IpPermissionsEgress"]),
            "tags": tag_map(group.get("Tags", []), "Key", "Value"),
        }

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Rules and tags change in place."""
        live = aws("ec2").describe_security_groups(GroupIds=[identity])["SecurityGroups"][0]
        if "ingress" in changed:
            if live["IpPermissions"]:
                aws("ec2").revoke_security_group_ingress(
                    GroupId=identity, IpPermissions=live["IpPermissions"]
                )
            self._allow(identity, "ingress", inputs)
        if "egress" in changed:
            if live["IpPermissionsEgress"]:
                aws("ec2").revoke_security_group_egress(
                    GroupId=identity, IpPermissions=live["IpPermissionsEgress"]
                )
            self._allow(identity, "egress", inputs)
        if gone := dropped(inputs, old):
            aws("ec2").delete_tags(Resources=[identity], Tags=[{"Key": key} for key in gone])
        if "tags" in changed and inputs.get("tags"):
            aws("ec2").create_tags(
                Resources=[identity], Tags=tag_list(inputs["tags"], "Key", "Value")
            )

    def delete(self, identity: str, state: State) -> None:
        """Refused by the service while something uses it."""
        aws("ec2").delete_security_group(GroupId=identity)

    def _allow(self, group: str, direction: str, inputs: Inputs) -> None:
        permissions = [_permission(rule) for rule in inputs.get(direction) or ()]
        if permissions:
            authorize = getattr(aws("ec2"), f"authorize_security_group_{direction}")
            authorize(GroupId=group, IpPermissions=permissions)

    def _arn(self, owner: str, group: str) -> str:
        return f"arn:aws:ec2:{region()}:{owner}:security-group/{group}"


def _tagged(tags: list[Any]) -> dict[str, Any]:
    return {"ResourceType": "security-group", "Tags": tags}


def _permission(rule: Inputs) -> dict[str, Any]:
    ports = {} if rule["protocol"] == "-1" else pick(rule, FromPort="fromPort", ToPort="toPort")
    return {
        "IpProtocol": rule["protocol"],
        **ports,
        "IpRanges": [{"CidrIp": block} for block in rule.get("cidrBlocks") or ()],
        "UserIdGroupPairs": [{"GroupId": group} for group in rule.get("securityGroups") or ()],
    }


def _rules(permissions: list[dict[str, Any]]) -> list[Inputs]:
    """Rules as a program writes them."""
    rules = []
    for permission in permissions:
        rule: Inputs = {
            "protocol": permission["IpProtocol"],
            "fromPort": permission.get("FromPort", 0),
            "toPort": permission.get("ToPort", 0),
        }
        if blocks := [block["CidrIp"] for block in permission.get("IpRanges", [])]:
            rule["cidrBlocks"] = blocks
        if groups := [pair["GroupId"] for pair in permission.get("UserIdGroupPairs", [])]:
            rule["securityGroups"] = groups
        rules.append(rule)
    return rules
