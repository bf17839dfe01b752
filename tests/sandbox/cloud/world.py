"""A local AWS as the tests of this folder speak to it."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
import time
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sandbox.cloud.deploy import client
from sandbox.processes import Part, Processes

ROOT = Path(__file__).parents[3]
ROLE = "arn:aws:iam::000000000000:role/test"
T = TypeVar("T")


@dataclass(frozen=True)
class Cloud:
    """A running local AWS."""

    url: str
    outbox: Path

    def __call__(self, service: str) -> Any:
        """A boto3 client."""
        return _client(service, self.url)

    def machine(self, states: dict[str, Any], **more: Any) -> str:
        """Create a JSONata state machine that starts at `A`."""
        definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": states, **more}
        created = self("stepfunctions").create_state_machine(
            name=f"machine-{uuid.uuid4().hex[:8]}", roleArn=ROLE, definition=json.dumps(definition)
        )
        return str(created["stateMachineArn"])

    def execute(self, states: dict[str, Any], given: Any = None, **more: Any) -> dict[str, Any]:
        """Run such a machine to its end and describe the execution."""
        arn = self.start(self.machine(states, **more), given)
        return self.ended(arn)

    def start(self, machine: str, given: Any = None) -> str:
        """Start an execution."""
        started = self("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps({} if given is None else given)
        )
        return str(started["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        """Describe an execution once it has ended."""
        sfn = self("stepfunctions")
        return eventually(
            lambda: sfn.describe_execution(executionArn=execution),
            lambda described: described["status"] != "RUNNING",
        )

    def function(self, source: str) -> str:
        """Create a Python function from its source; its handler is `handler`."""
        name = f"function-{uuid.uuid4().hex[:8]}"
        self("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=ROLE,
            Handler="main.handler",
            Timeout=10,
            Code={"ZipFile": zipped({"main.py": source})},
        )
        return name


@cache
def _client(service: str, url: str) -> Any:
    return client(service, url)


def start(processes: Processes, state: Path, *options: str) -> Part:
    """Start a local AWS on a port of its own."""
    command = [str(ROOT / ".venv-cloud/bin/python"), "-m", "sandbox.cloud"]
    command += ["--port", str(free_port()), "--state-dir", str(state)]
    command += ["--outbox", str(state / "outbox"), "--lambda-python", sys.executable, *options]
    return processes.start("cloud", command, {**os.environ, "PYTHONPATH": str(ROOT)})


def eventually(look: Callable[[], T], good: Callable[[T], bool], within: float = 30) -> T:
    """Look until it is good; the last look either way."""
    deadline = time.monotonic() + within
    seen = look()
    while not good(seen) and time.monotonic() < deadline:
        time.sleep(0.1)
        seen = look()
    return seen


def zipped(files: dict[str, str], executable: tuple[str, ...] = ()) -> bytes:
    """A zip of texts."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o755 if name in executable else 0o644) << 16
            writer.writestr(info, text)
    return archive.getvalue()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def definition(cloud: Cloud, *, cpu: str = "256", image: str = "app:1", **env: str) -> str:
    """Register a revision of the task definition."""
    container = {
        "name": "app",
        "image": image,
        "command": ["python", "task.py"],
        "environment": [{"name": name, "value": value} for name, value in env.items()],
        "secrets": [{"name": "SECRET", "valueFrom": _secret(cloud)}],
    }
    registered = cloud("ecs").register_task_definition(
        family="app",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu=cpu,
        memory=str(2 * int(cpu)),
        containerDefinitions=[container],
    )
    return str(registered["taskDefinition"]["taskDefinitionArn"])


def _secret(cloud: Cloud) -> str:
    manager = cloud("secretsmanager")
    found = manager.list_secrets(Filters=[{"Key": "name", "Values": ["fargate"]}])["SecretList"]
    if not found:
        return str(manager.create_secret(Name="fargate", SecretString="hush")["ARN"])
    return str(found[0]["ARN"])


def serve(cloud: Cloud, cluster: str, service: str, **more: Any) -> None:
    """Create a service of one task, with its circuit breaker on."""
    cloud("ecs").create_cluster(clusterName=cluster)
    cloud("ecs").create_service(
        cluster=cluster,
        serviceName=service,
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        **more,
    )


def run_tasks(processes: Processes, cloud: Cloud, logs: Path, cluster: str, service: str) -> Part:
    """Start a Fargate runner for a service; images `app:*` are task.py beside this file."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    image = {"cwd": str(Path(__file__).parent), "env": {"IMAGE": "app", "PATH": path}}
    command = [sys.executable, "-m", "sandbox.fargate", "--endpoint", cloud.url]
    command += ["--cluster", cluster, "--service", service, "--port", str(free_port())]
    command += ["--images", json.dumps({"app:*": image}), "--start-limit", "3"]
    command += ["--logs", str(logs)]
    return processes.start(f"fargate {service}", command, {**os.environ, "PYTHONPATH": str(ROOT)})
