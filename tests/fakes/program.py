"""A small Pulumi program: one task definition, the service that runs it, and their cluster."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PROJECT = """\
name: shop
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: venv
"""
CONFIG = """\
config:
  aws:region: us-east-1
  shop:desired: 2  # tasks
"""
MAIN = '''\
"""The shop."""

import json

import pulumi
import pulumi_aws as aws

APP = "shop"
config = pulumi.Config()

cluster = aws.ecs.Cluster(f"{APP}-cluster", name=APP)

task = aws.ecs.TaskDefinition(
    f"{APP}-task",
    family=APP,
    cpu="512",
    memory="1024",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    container_definitions=json.dumps([{"name": "app", "image": "nginx", "essential": True}]),
    skip_destroy=True,
)

service = aws.ecs.Service(
    f"{APP}-service",
    name=APP,
    cluster=cluster.arn,
    task_definition=task.arn,
    desired_count=config.require_int("desired"),
    launch_type="FARGATE",
    network_configuration={"subnets": ["subnet-1"]},
)

pulumi.export("task", task.arn)
'''


def shop(**replaced: str) -> dict[str, bytes]:
    """The bundle's files, with these texts of the program replaced: {old: new}."""
    return {
        "Pulumi.yaml": PROJECT.encode(),
        "Pulumi.dev.yaml": CONFIG.encode(),
        "__main__.py": MAIN.encode(),
        "requirements.txt": (ROOT / "chatbot" / "infra" / "requirements.txt").read_bytes(),
    } | {name: text.encode() for name, text in replaced.items()}
