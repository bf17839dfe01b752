"""What the workloads let the product touch in the account: the only part of IAM they shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from .powers import allow


@dataclass(frozen=True)
class Reach:
    """One workload's share: its Pulumi state, its service, the roles its tasks run under."""

    workload: str
    state_bucket: str
    state_prefix: str  # without slashes at its ends; empty: the whole bucket is Pulumi's
    passphrase_secret: str
    secrets: Sequence[str]  # of the program itself
    cluster: str
    service: str
    task_roles: Sequence[str]  # names, may end in *


def see_service(roles: Sequence[iam.Role], reach: Reach) -> None:
    """Follow a rollout."""
    stack = cdk.Stack.of(roles[0])
    service = _ecs(stack, "service", f"{reach.cluster}/{reach.service}")
    allow(roles, "ecs:DescribeServices", "ecs:ListServiceDeployments", on=service)
    deployments = _ecs(stack, "service-deployment", f"{reach.cluster}/{reach.service}/*")
    revisions = _ecs(stack, "service-revision", f"{reach.cluster}/{reach.service}/*")
    allow(roles, "ecs:DescribeServiceDeployments", on=deployments)
    allow(roles, "ecs:DescribeServiceRevisions", on=revisions)


REFRESH_SECRET = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:GetSecretValue",
)


def read_state(roles: Sequence[iam.Role], reach: Reach) -> None:
    """Open a Pulumi stack: its state, and the passphrase of its secrets."""
    stack = cdk.Stack.of(roles[0])
    allow(roles, "s3:GetObject", on=_state(stack, reach))
    allow(roles, "s3:ListBucket", on=_bucket(stack, reach))
    allow(roles, "secretsmanager:GetSecretValue", on=_secret(stack, reach.passphrase_secret))
    if reach.secrets:
        named = [_secret(stack, name) for name in reach.secrets]
        allow(roles, *REFRESH_SECRET, on=named)


def write_state(roles: Sequence[iam.Role], reach: Reach) -> None:
    """Lock a Pulumi stack and write its state."""
    allow(roles, "s3:PutObject", "s3:DeleteObject", on=_state(cdk.Stack.of(roles[0]), reach))


def read_resources(roles: Sequence[iam.Role]) -> None:
    """Let Pulumi refresh what a service's program usually holds. Describing knows no resource."""
    allow(
        roles,
        "application-autoscaling:DescribeScalableTargets",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "ecs:DescribeClusters",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "ecs:ListTagsForResource",
        "elasticloadbalancing:DescribeCapacityReservation",
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        on="*",
    )


def change_task_size(roles: Sequence[iam.Role], reach: Reach) -> None:
    """What the catalogue's ecs.task_size needs: a new revision, and the service on it."""
    stack = cdk.Stack.of(roles[0])
    # Registering a revision takes no resource.
    allow(roles, "ecs:RegisterTaskDefinition", on="*")
    allow(roles, "ecs:TagResource", on=_ecs(stack, "task-definition", "*"))
    service = _ecs(stack, "service", f"{reach.cluster}/{reach.service}")
    allow(roles, "ecs:UpdateService", on=service)
    passed = [
        stack.format_arn(service="iam", region="", resource="role", resource_name=name)
        for name in reach.task_roles
    ]
    if passed:
        to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        allow(roles, "iam:PassRole", on=passed, where=to_tasks)


def _ecs(stack: cdk.Stack, resource: str, name: str) -> str:
    return stack.format_arn(service="ecs", resource=resource, resource_name=name)


def _secret(stack: cdk.Stack, name: str) -> str:
    # Secrets Manager puts a dash and six characters behind a name.
    return stack.format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=f"{name}-??????",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )


def _bucket(stack: cdk.Stack, reach: Reach) -> str:
    return stack.format_arn(service="s3", region="", account="", resource=reach.state_bucket)


def _state(stack: cdk.Stack, reach: Reach) -> str:
    return f"{_bucket(stack, reach)}/{'/'.join(filter(None, [reach.state_prefix, '*']))}"
