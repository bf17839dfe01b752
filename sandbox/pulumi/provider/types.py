"""The resource types and functions of the stand-in, by Pulumi's tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import ec2, ecs, elbv2, iam, logs, secretsmanager, target_group
from .resource import Resource, aws, region

RESOURCES: dict[str, Resource] = {
    "aws:cloudwatch/logGroup:LogGroup": logs.LogGroup(),
    "aws:ec2/securityGroup:SecurityGroup": ec2.SecurityGroup(),
    "aws:ecs/cluster:Cluster": ecs.Cluster(),
    "aws:ecs/service:Service": ecs.Service(),
    "aws:ecs/taskDefinition:TaskDefinition": ecs.TaskDefinition(),
    "aws:iam/role:Role": iam.Role(),
    "aws:iam/rolePolicy:RolePolicy": iam.RolePolicy(),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": iam.RolePolicyAttachment(),
    "aws:lb/listener:Listener": elbv2.Listener(),
    "aws:lb/loadBalancer:LoadBalancer": elbv2.LoadBalancer(),
    "aws:lb/targetGroup:TargetGroup": target_group.TargetGroup(),
    "aws:secretsmanager/secret:Secret": secretsmanager.Secret(),
    "aws:secretsmanager/secretVersion:SecretVersion": secretsmanager.SecretVersion(),
}


def caller_identity() -> dict[str, Any]:
    """aws.get_caller_identity()."""
    who = aws("sts").get_caller_identity()
    account = who["Account"]
    return {"accountId": account, "arn": who["Arn"], "id": account, "userId": who["UserId"]}


def current_region() -> dict[str, Any]:
    """aws.get_region()."""
    name = region()
    return {"description": name, "endpoint": "", "id": name, "name": name, "region": name}


FUNCTIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getRegion:getRegion": current_region,
}
