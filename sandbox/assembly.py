"""The CDK app's cloud assembly for this machine: synthesised once per content, then deployed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from sandbox.cloud import deploy as direct

ROOT = Path(__file__).resolve().parent.parent
WORKLOADS = ROOT / "sandbox" / "workloads.yaml"
STACK = "Backburn"
CDK_CLI = "aws-cdk@2.1148.1"  # the CLI of aws-cdk-lib 2.275
_CONTEXT = {"asset": "host", "workloads": str(WORKLOADS.relative_to(ROOT))}
_SOURCES = ("app.py", "cdk.json", "requirements.txt", "stacks", "lambdas", "sandbox/workloads.yaml")


class AssemblyError(RuntimeError):
    """The stacks could not be synthesised or deployed; the message has the tool's own words."""


def synthesise() -> Path:
    """The folder of the cloud assembly; a second call with the same sources finds it."""
    assembly = ROOT / ".build" / "assembly" / _digest()
    if not (assembly / "manifest.json").exists():
        _run(
            [sys.executable, str(ROOT / "app.py")],
            {"CDK_OUTDIR": str(assembly), "CDK_CONTEXT_JSON": json.dumps(_CONTEXT)},
        )
    return assembly


def deploy(assembly: Path, endpoint: str, parameters: dict[str, str]) -> dict[str, str]:
    """Deploy with boto3 alone; the stack's outputs."""
    return direct.deploy(assembly, STACK, endpoint, parameters)


def deploy_with_cdk(assembly: Path, endpoint: str, parameters: dict[str, str]) -> dict[str, str]:
    """Deploy with the cdk CLI, as a user does in an account; the stack's outputs."""
    aws = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": direct.REGION,
        "AWS_DEFAULT_REGION": direct.REGION,
    }
    cdk = ["npx", "--yes", CDK_CLI, "--app", str(assembly)]
    _run([*cdk, "bootstrap", f"aws://{direct.ACCOUNT}/{direct.REGION}"], aws)
    given = [
        word for key, value in parameters.items() for word in ("--parameters", f"{key}={value}")
    ]
    _run([*cdk, "deploy", STACK, "--require-approval", "never", *given], aws)
    return direct.outputs(STACK, endpoint)


def _run(command: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssemblyError(f"{' '.join(command[:4])} failed:\n{done.stderr[-4000:]}")


def _digest() -> str:
    digest = hashlib.sha256()
    for source in map(ROOT.joinpath, _SOURCES):
        for file in [source] if source.is_file() else sorted(source.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
