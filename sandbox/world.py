"""The whole world on one machine: local AWS, Honeycomb, Bedrock, mail, the patient, Backburn.

`python -m sandbox.world` stays up until Ctrl-C; the demo and the tests start the same thing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import boto3
import httpx

from sandbox.cloud.deploy import deploy
from sandbox.processes import Processes
from sandbox.pulumi import cli
from sandbox.pulumi.stack import bundle, deploy_chatbot

ROOT = Path(__file__).resolve().parent.parent
WORKLOADS = ROOT / "sandbox" / "workloads.yaml"
STACK = "Backburn"
REGION = "us-east-1"
HONEYCOMB_KEY = "hcalk_sandbox_configuration_key"
INGEST_KEY = "hcaik_sandbox_ingest_key"
PASSPHRASE = "sandbox-passphrase"
CLUSTER = SERVICE = "otel-ai-chatbot-dev"
DATASET = "otel-ai-chatbot-backend"
CDK_CLI = "aws-cdk@2.1148.1"  # the CLI of aws-cdk-lib 2.275

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


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class World:
    """One sandbox, kept in a folder of its own; several can run at once."""

    def __init__(self, directory: Path, say: Say, *, cdk: bool = False) -> None:
        self.cdk = cdk
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.say = say
        self.processes = Processes(self.directory / "logs", ROOT)
        self.outputs: dict[str, str] = {}
        self.infra: dict[str, str] = {}
        self.addresses = Addresses("", "", "", "", "", "")

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
        return boto3.client(service, endpoint_url=self.addresses.aws, **_credentials())

    def product_environment(self) -> dict[str, str]:
        """What Backburn's own CLI needs in this world: as `python -m backburn` reads it."""
        named = {
            "BACKBURN_INCIDENTS_TABLE": "IncidentsTable",
            "BACKBURN_APPROVALS_TABLE": "ApprovalsTable",
            "BACKBURN_ARTIFACTS_BUCKET": "ArtifactsBucket",
            "BACKBURN_WORKLOADS": "WorkloadsUrl",
            "BACKBURN_STATE_MACHINE": "StateMachineArn",
            "BACKBURN_OPERATORS_TOPIC": "OperatorsTopic",
        }
        return self.environment() | {name: self.outputs[output] for name, output in named.items()}

    def environment(self) -> dict[str, str]:
        """What a process needs to speak to this world as if to AWS."""
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))},
            "AWS_ENDPOINT_URL": self.addresses.aws,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'lambdas'}",
        }

    def start(self) -> None:
        """Start all parts, deploy Backburn and the patient; returns when all of it serves."""
        begun = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            assembly = pool.submit(synthesise)
            pulumi = pool.submit(cli.path)
            self._start_parts(pulumi.result())
            self.say("world", "local AWS, Honeycomb, Bedrock and mailbox serve; deploying Backburn")
            self.outputs = self._deploy(assembly.result())
        self._fill_secrets()
        self.addresses = Addresses(
            **{**asdict(self.addresses), "api": _path_form(self.outputs["ApiUrl"], self.addresses)}
        )
        self._connect_honeycomb()
        self.say("world", f"Backburn deployed; the patient next ({_since(begun)})")
        self._deploy_patient()
        (self.directory / "addresses.json").write_text(
            json.dumps(asdict(self.addresses), indent=1) + "\n"
        )
        self.say("world", f"all of it serves ({_since(begun)})")

    # ------------------------------------------------------------------ parts

    def _start_parts(self, pulumi: Path) -> None:
        outbox = self.directory / "outbox"
        outbox.mkdir(exist_ok=True)
        for mail in outbox.iterdir():
            mail.unlink()
        seed = self.directory / "honeycomb-seed.json"
        seed.write_text(json.dumps(_SEED, indent=1))
        ports = {name: free_port() for name in ("aws", "honeycomb", "bedrock", "mailbox")}
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
        env["PYTHONPATH"] = f"{ROOT}:{ROOT / 'lambdas'}"
        hosts = ROOT / "sandbox" / "pulumi" / "hosts"
        build_path = os.pathsep.join(
            [str(pulumi.parent), str(hosts), str(ROOT / ".venv/bin"), str(ROOT / ".tools/bin")]
        )
        python = sys.executable
        aws = self.processes.start(
            "aws",
            [
                str(ROOT / ".venv-cloud/bin/python"),
                *("-m", "sandbox.cloud", "--port", str(ports["aws"])),
                *("--state-dir", str(self.directory / "aws"), "--outbox", str(outbox)),
                *("--lambda-python", _bare_python(), "--build-path", build_path),
                *("--build-env", f"BACKBURN_CACHE={cache_directory()}"),
            ],
            env,
        )
        honeycomb = self.processes.start(
            "honeycomb",
            [
                python,
                "-m",
                "sandbox.honeycomb",
                "--port",
                str(ports["honeycomb"]),
                "--relax-burn-windows",
                "--seed",
                str(seed),
            ],
            env,
        )
        bedrock = self.processes.start(
            "bedrock", [python, "-m", "sandbox.bedrock", "--port", str(ports["bedrock"])], env
        )
        mailbox = self.processes.start(
            "mailbox",
            [
                python,
                "-m",
                "sandbox.mailbox",
                "--port",
                str(ports["mailbox"]),
                "--outbox",
                str(outbox),
            ],
            env,
        )
        self.addresses = Addresses(
            aws=aws.url(), api="", honeycomb=honeycomb.url(), mailbox=mailbox.url(),
            chatbot=f"http://127.0.0.1:{free_port()}", bedrock=bedrock.url(),
        )  # fmt: skip

    def _deploy(self, assembly: Path) -> dict[str, str]:
        return deploy(
            assembly, STACK, self.addresses.aws, {"HoneycombUrl": self.addresses.honeycomb}
        )

    def _fill_secrets(self) -> None:
        secrets = self.client("secretsmanager")
        secrets.put_secret_value(
            SecretId=self.outputs["HoneycombSecretArn"], SecretString=HONEYCOMB_KEY
        )
        secrets.create_secret(Name="backburn/chatbot-passphrase", SecretString=PASSPHRASE)

    def _connect_honeycomb(self) -> None:
        token = self.client("secretsmanager").get_secret_value(
            SecretId=self.outputs["WebhookSecretArn"]
        )["SecretString"]
        template = (ROOT / "lambdas/backburn/payload_template.json.tmpl").read_text()
        with httpx.Client(
            base_url=self.addresses.honeycomb, headers={"X-Honeycomb-Team": HONEYCOMB_KEY}
        ) as honeycomb:
            recipient = honeycomb.post(
                "/1/recipients",
                json={
                    "type": "webhook",
                    "details": {
                        "webhook_name": "backburn",
                        "webhook_url": f"{self.addresses.api}/webhooks/honeycomb",
                        "webhook_secret": token,
                        "webhook_payloads": {
                            "payload_templates": {"budget_rate": {"body": template}}
                        },
                    },
                },
            ).raise_for_status()
            honeycomb.post(
                f"/1/burn_alerts/{DATASET}",
                json={
                    "alert_type": "budget_rate",
                    "budget_rate_window_minutes": 1,
                    "budget_rate_decrease_threshold_per_million": 1,
                    "slo": {"id": "chat-latency"},
                    "recipients": [{"id": recipient.json()["id"]}],
                },
            ).raise_for_status()

    # ------------------------------------------------------------------ the patient

    def _deploy_patient(self) -> None:
        workdir = self.directory / "patient"
        self.infra = deploy_chatbot(
            self.addresses.aws,
            workdir,
            {
                "otlpEndpoint": self.addresses.honeycomb,
                "bedrockEndpoint": self.addresses.bedrock,
            },
        )
        self.client("s3").put_object(
            Bucket=self.outputs["ArtifactsBucket"],
            Key="programs/chatbot.zip",
            Body=bundle(workdir / "program"),
        )
        port = self.addresses.chatbot.rsplit(":", 1)[1]
        runner = self.processes.start(
            "fargate",
            [
                sys.executable,
                "-m",
                "sandbox.fargate",
                "--endpoint",
                self.addresses.aws,
                "--cluster",
                CLUSTER,
                "--service",
                SERVICE,
                "--port",
                port,
            ],
            self.environment(),
        )
        runner.url(within=90)


def synthesise() -> Path:
    """The CDK app's cloud assembly for this machine, made once per content."""
    sources = [
        ROOT / "app.py", ROOT / "cdk.json", WORKLOADS, ROOT / "requirements.txt",
        *sorted((ROOT / "stacks").rglob("*.*")), *sorted((ROOT / "lambdas").rglob("*.*")),
    ]  # fmt: skip
    digest = hashlib.sha256()
    for source in sources:
        if source.is_file() and source.suffix != ".pyc":
            digest.update(f"{source.relative_to(ROOT)}\0".encode() + source.read_bytes())
    assembly = ROOT / ".build" / "assembly" / digest.hexdigest()[:16]
    if not (assembly / "manifest.json").exists():
        result = subprocess.run(
            [sys.executable, str(ROOT / "app.py")],
            cwd=ROOT,
            env={**os.environ, "CDK_OUTDIR": str(assembly), "CDK_CONTEXT_JSON": _CONTEXT},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(f"the stacks could not be synthesised:\n{result.stderr[-4000:]}")
    return assembly


def cache_directory() -> Path:
    """Where the Pulumi CLI and the programs' packages are kept between checkouts."""
    return Path(os.environ.get("BACKBURN_CACHE") or Path.home() / ".cache" / "backburn")


_CONTEXT = json.dumps({"asset": "host", "workloads": str(WORKLOADS.relative_to(ROOT))})
SLI = (
    'IF(AND(EQUALS($http.target,"/api/chat"),NOT(EXISTS($trace.parent_id))),'
    "AND(LTE($duration_ms,1000),LT($http.status_code,500)))"
)
_SEED: dict[str, Any] = {
    "datasets": [DATASET],
    "derived_columns": [{"dataset": DATASET, "alias": "sli.chat_latency", "expression": SLI}],
    "slos": [
        {
            "id": "chat-latency",
            "dataset": DATASET,
            "name": "Chat answers within a second",
            "sli": {"alias": "sli.chat_latency"},
            "time_period_days": 7,
            "target_per_million": 950_000,
        }
    ],
}


def _bare_python() -> str:
    """The interpreter without our packages: Lambdas run on what their asset brings."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def _path_form(url: str, addresses: Addresses) -> str:
    """The API by path: Python does not resolve `*.localhost`, a browser does."""
    api = url.split("//")[1].split(".", maxsplit=1)[0]
    return f"{addresses.aws}/_aws/execute-api/{api}/$default"


def _credentials() -> dict[str, str]:
    return {
        "region_name": REGION, "aws_access_key_id": "test", "aws_secret_access_key": "test",
    }  # fmt: skip


def _since(begun: float) -> str:
    return f"{time.monotonic() - begun:.1f} s"


def main() -> int:
    """Keep a sandbox up until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.world", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path(".sandbox"))
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with World(arguments.directory, lambda who, what: print(f"{who:<9} {what}")) as world:
        for name, address in asdict(world.addresses).items():
            print(f"  {name:<10} {address}")
        print(f"  written to {world.directory / 'addresses.json'}; Ctrl-C ends it all")
        while not stop.wait(1):
            if dead := world.processes.dead():
                print(f"ended by itself: {', '.join(dead)}; logs in {world.directory / 'logs'}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
