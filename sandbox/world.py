"""The whole world on one machine: local AWS, Honeycomb, Bedrock, mail, the patient, Backburn.

`python -m sandbox` keeps it up until Ctrl-C; the demo and the tests start the same thing.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from sandbox import assembly, slo
from sandbox.cloud import deploy
from sandbox.processes import DidNotStartError, Processes
from sandbox.pulumi import cache, cli, stack

ROOT = Path(__file__).resolve().parent.parent
CLUSTER = SERVICE = "otel-ai-chatbot-dev"

Say = Callable[[str, str], None]


@dataclass(frozen=True)
class Addresses:
    """Where the sandbox's parts serve."""

    aws: str
    api: str
    honeycomb: str
    mailbox: str
    chatbot: str
    bedrock: str


class World:
    """One sandbox, kept in a folder of its own; several can run at once."""

    def __init__(self, directory: Path, say: Say, *, cdk: bool = False) -> None:
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.say, self.cdk = say, cdk
        self.processes = Processes(self.directory / "logs", ROOT)
        self.ports = _free_ports("aws", "honeycomb", "mailbox", "chatbot", "bedrock")
        here = {name: f"http://127.0.0.1:{port}" for name, port in self.ports.items()}
        self.addresses = Addresses(api="", **here)
        self.outputs: dict[str, str] = {}
        self.connected = False

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process of this sandbox, and only those."""
        self.processes.close()
        (self.directory / "addresses.json").unlink(missing_ok=True)

    def client(self, service: str) -> Any:
        """A boto3 client of the local AWS."""
        return deploy.client(service, self.addresses.aws)

    def environment(self) -> dict[str, str]:
        """What a process needs to speak to this world as if to AWS."""
        return {
            **_inherited(),
            "AWS_ENDPOINT_URL": self.addresses.aws,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": deploy.REGION,
            "AWS_DEFAULT_REGION": deploy.REGION,
        }

    def product_environment(self) -> dict[str, str]:
        """What Backburn's own CLI needs in this world, from the stack's outputs."""
        named = {
            "BACKBURN_INCIDENTS_TABLE": "IncidentsTable",
            "BACKBURN_APPROVALS_TABLE": "ApprovalsTable",
            "BACKBURN_ARTIFACTS_BUCKET": "ArtifactsBucket",
            "BACKBURN_WORKLOADS": "WorkloadsUrl",
            "BACKBURN_STATE_MACHINE": "StateMachineArn",
            "BACKBURN_OPERATORS_TOPIC": "OperatorsTopic",
        }
        return self.environment() | {name: self.outputs[output] for name, output in named.items()}

    def start(self) -> None:
        """Start all parts, deploy Backburn and the patient; returns when all of it serves."""
        begun = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            synthesised = pool.submit(assembly.synthesise)
            self._start_parts()
            self.say("world", f"local AWS, Honeycomb, Bedrock and mailbox serve ({_since(begun)})")
            self._deploy(synthesised.result())
        self.say("world", f"Backburn is deployed ({_since(begun)})")
        self._deploy_patient()
        (self.directory / "addresses.json").write_text(
            json.dumps(asdict(self.addresses), indent=1) + "\n"
        )
        self.say("world", f"the chatbot is deployed by Pulumi and serves ({_since(begun)})")

    def connect_honeycomb(self) -> None:
        """Bind the SLO's burn alert to Backburn's webhook, once; do so when traffic has flowed."""
        if self.connected:
            return
        self.connected = True
        secret = self.outputs["WebhookSecretArn"]
        token = self.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        slo.connect(self.addresses.honeycomb, f"{self.addresses.api}/webhooks/honeycomb", token)

    def _start_parts(self) -> None:
        outbox = self.directory / "outbox"
        outbox.mkdir(exist_ok=True)
        for mail in outbox.iterdir():
            mail.unlink()
        seed = self.directory / "honeycomb-seed.json"
        seed.write_text(json.dumps(slo.SEED, indent=1))
        tools = [cli.path().parent, stack.HOSTS, ROOT / ".venv/bin", ROOT / ".tools/bin"]
        options = {
            "aws": [
                *("--state-dir", str(self.directory / "aws"), "--outbox", str(outbox)),
                *("--lambda-python", _bare_python()),
                *("--build-path", os.pathsep.join(map(str, tools))),
                *("--build-env", f"BACKBURN_CACHE={cache.cache()}"),
                *("--build-env", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true"),
            ],
            "honeycomb": [
                *("--relax-burn-windows", "--seed", str(seed)),
                *("--evaluate-every", str(slo.EVALUATE_EVERY)),
            ],
            "bedrock": [],
            "mailbox": ["--outbox", str(outbox)],
        }
        modules = {"aws": "cloud"}
        parts = []
        for name, given in options.items():
            python = str(ROOT / ".venv-cloud/bin/python") if name == "aws" else sys.executable
            module = f"sandbox.{modules.get(name, name)}"
            command = [python, "-m", module, "--port", str(self.ports[name]), *given]
            parts.append(self.processes.start(name, command, _inherited()))
        for part in parts:
            part.url()

    def _deploy(self, synthesised: Path) -> None:
        deploying = assembly.deploy_with_cdk if self.cdk else assembly.deploy
        self.outputs = deploying(
            synthesised, self.addresses.aws, {"HoneycombUrl": self.addresses.honeycomb}
        )
        api = self.outputs["ApiUrl"].split("//")[1].split(".")[0]
        # By path, because Python does not resolve *.localhost; a browser does.
        path = f"{self.addresses.aws}/_aws/execute-api/{api}/$default"
        self.addresses = Addresses(**{**asdict(self.addresses), "api": path})
        secrets = self.client("secretsmanager")
        secrets.put_secret_value(
            SecretId=self.outputs["HoneycombSecretArn"], SecretString=slo.CONFIGURATION_KEY
        )
        secrets.create_secret(Name="backburn/chatbot-passphrase", SecretString=stack.PASSPHRASE)

    def _deploy_patient(self) -> None:
        workdir = self.directory / "patient"
        config = {
            "otlpEndpoint": self.addresses.honeycomb,
            "bedrockEndpoint": self.addresses.bedrock,
            "honeycombKey": slo.INGEST_KEY,
        }
        stack.deploy_chatbot(self.addresses.aws, workdir, config)
        self.client("s3").put_object(
            Bucket=self.outputs["ArtifactsBucket"],
            Key="programs/chatbot.zip",
            Body=stack.bundle(workdir / "program"),
        )
        images = {"*": {"cwd": str(ROOT), "env": {"PATH": f"{ROOT / '.venv/bin'}:/usr/bin:/bin"}}}
        runner = self.processes.start(
            "fargate",
            [
                *(sys.executable, "-m", "sandbox.fargate", "--endpoint", self.addresses.aws),
                *("--cluster", CLUSTER, "--service", SERVICE, "--port", str(self.ports["chatbot"])),
                *("--images", json.dumps(images), "--logs", str(self.directory / "logs/tasks")),
            ],
            self.environment(),
        )
        runner.url()
        _until_healthy(f"{self.addresses.chatbot}/api/health", within=120)


def _until_healthy(url: str, within: float) -> None:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=5).is_success:
                return
        time.sleep(0.3)
    raise DidNotStartError(f"no task of the chatbot became healthy within {within:.0f} s: {url}")


def _inherited() -> dict[str, str]:
    """The environment of ours without anybody's real account."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
    return {**kept, "PYTHONPATH": f"{ROOT}:{ROOT / 'lambdas'}"}


def _bare_python() -> str:
    """The interpreter without our packages: Lambdas run on what their asset brings."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def _free_ports(*names: str) -> dict[str, int]:
    probes = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
    ports = {name: int(probe.getsockname()[1]) for name, probe in probes.items()}
    for probe in probes.values():
        probe.close()
    return ports


def _since(begun: float) -> str:
    return f"{time.monotonic() - begun:.1f} s"
