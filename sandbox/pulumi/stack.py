"""The patient's stack: its program deployed into the local AWS by the real engine."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import boto3

from . import cli
from .packages import virtualenv

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "chatbot" / "infra"
HOSTS = ROOT / "sandbox" / "pulumi" / "hosts"
STACK = "dev"
STATE_BUCKET = "otel-ai-chatbot-pulumi-state"
BACKEND = f"s3://{STATE_BUCKET}?region=us-east-1&s3ForcePathStyle=true"
PASSPHRASE = "sandbox-passphrase"
SECRETS = frozenset({"honeycombKey"})
LEFT_OUT = frozenset({"venv", "__pycache__", ".pulumi"})
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can name


class StackError(RuntimeError):
    """The CLI failed; the message says which command and what it said."""


def deploy_chatbot(endpoint: str, workdir: Path, config: dict[str, str]) -> dict[str, Any]:
    """Deploy `workdir/program`, a copy of chatbot/infra with this config; the stack's outputs."""
    program = workdir / "program"
    shutil.rmtree(program, ignore_errors=True)
    shutil.copytree(PROGRAM, program, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (program / "venv").symlink_to(virtualenv(program))
    boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).create_bucket(Bucket=STATE_BUCKET)
    pulumi = Pulumi(program, endpoint, home=workdir / "pulumi-home")
    pulumi.run("stack", "init", STACK)
    for key, value in config.items():
        kind = "--secret" if key in SECRETS else "--plaintext"
        pulumi.run("config", "set", kind, key, "--", value)
    pulumi.run("up", "--yes", "--skip-preview")
    outputs: dict[str, Any] = json.loads(pulumi.run("stack", "output", "--json"))
    return outputs


def bundle(directory: Path) -> bytes:
    """A program and its stack files as a zip that is the same for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(directory.rglob("*")):
            name = path.relative_to(directory)
            if path.is_file() and not LEFT_OUT & {*name.parts}:
                entry = zipfile.ZipInfo(name.as_posix(), EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


class Pulumi:
    """The plain CLI on one program and stack, as a person would call it."""

    def __init__(self, program: Path, endpoint: str, home: Path, stack: str = STACK) -> None:
        self.program, self.stack = program, stack
        self.binary = cli.path()
        self.environment = environment(endpoint, home, self.binary)

    def run(self, *arguments: str) -> str:
        """Its stdout; StackError if it fails."""
        done = self.attempt(*arguments)
        if done.returncode:
            raise StackError(
                f"pulumi {' '.join(arguments[:2])} failed in {self.program}:\n"
                f"{(done.stdout + done.stderr)[-4000:]}"
            )
        return done.stdout

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command, whatever becomes of it."""
        selected = () if arguments[:2] == ("stack", "init") else ("--stack", self.stack)
        separator = arguments.index("--") if "--" in arguments else len(arguments)
        command = [*arguments[:separator], *selected, "--non-interactive", *arguments[separator:]]
        return subprocess.run(
            [str(self.binary), *command],
            cwd=self.program,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def environment(endpoint: str, home: Path, binary: Path) -> dict[str, str]:
    """What the CLI runs in: the local AWS, our hosts on PATH, nothing fetched by itself."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
    search = [str(binary.parent), str(HOSTS), inherited.get("PATH", "")]
    return {
        **inherited,
        "PATH": os.pathsep.join(search),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": BACKEND,
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
