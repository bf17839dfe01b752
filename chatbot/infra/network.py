"""The way in: the world reaches the load balancer, only the load balancer reaches the tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi_aws as aws


@dataclass(frozen=True)
class Network:
    """What the service hangs on."""

    task_group: aws.ec2.SecurityGroup
    load_balancer: aws.lb.LoadBalancer
    target_group: aws.lb.TargetGroup
    listener: aws.lb.Listener


def build(
    app: str, name: str, vpc_id: str, subnets: Sequence[str], port: int, tags: Mapping[str, str]
) -> Network:
    """The two security groups, the load balancer and where it forwards to."""
    everywhere = aws.ec2.SecurityGroupEgressArgs(
        protocol="-1", from_port=0, to_port=0, cidr_blocks=["0.0.0.0/0"]
    )

    alb_group = aws.ec2.SecurityGroup(
        f"{app}-alb",
        name=f"{name}-alb",
        description="HTTP from anywhere",
        vpc_id=vpc_id,
        ingress=[
            aws.ec2.SecurityGroupIngressArgs(
                protocol="tcp", from_port=80, to_port=80, cidr_blocks=["0.0.0.0/0"]
            )
        ],
        egress=[everywhere],
        tags=tags,
    )

    task_group = aws.ec2.SecurityGroup(
        f"{app}-tasks",
        name=f"{name}-tasks",
        description="The chatbot's port, from its load balancer",
        vpc_id=vpc_id,
        ingress=[
            aws.ec2.SecurityGroupIngressArgs(
                protocol="tcp", from_port=port, to_port=port, security_groups=[alb_group.id]
            )
        ],
        egress=[everywhere],
        tags=tags,
    )

    load_balancer = aws.lb.LoadBalancer(
        f"{app}-alb",
        name=name,
        load_balancer_type="application",
        internal=False,
        security_groups=[alb_group.id],
        subnets=subnets,
        idle_timeout=120,  # above the slowest answer of the model, else the balancer answers 504
        tags=tags,
    )

    target_group = aws.lb.TargetGroup(
        f"{app}-tg",
        name=name,
        port=port,
        protocol="HTTP",
        target_type="ip",  # Fargate tasks have addresses of their own
        vpc_id=vpc_id,
        deregistration_delay=30,
        health_check=aws.lb.TargetGroupHealthCheckArgs(
            path="/api/health",
            interval=10,
            timeout=5,
            healthy_threshold=2,
            unhealthy_threshold=3,
            matcher="200",
        ),
        tags=tags,
    )

    listener = aws.lb.Listener(
        f"{app}-http",
        load_balancer_arn=load_balancer.arn,
        port=80,
        protocol="HTTP",
        default_actions=[
            aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=target_group.arn)
        ],
        tags=tags,
    )

    return Network(task_group, load_balancer, target_group, listener)
