"""The composition root: the only file that knows concrete adapters and the environment.

Every function is lazy and cached per process, so that importing a handler needs no environment
and pays for no client it does not use.
"""

# ruff: noqa: PLC0415  # an adapter is imported by the function that hands it out, not before
from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import ports
from .exports import Order, lines
from .workload import Workload, Workloads

if TYPE_CHECKING:
    from .applying import Site


def now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


def randomness(size: int) -> bytes:
    """The secrets of production."""
    return os.urandom(size)


@cache
def setting(name: str) -> str:
    """An environment variable that the stacks promise to set."""
    try:
        return os.environ[name]
    except KeyError:
        raise KeyError(f"{name} is not set; at a desk, give --stack") from None


def read_stack(name: str) -> None:
    """Take the settings from a deployed stack's outputs, e.g. IncidentsTable, StateMachineArn."""
    described = _aws("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    for output in described.get("Outputs", []):
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", output["OutputKey"]).upper()
        os.environ.setdefault(f"BACKBURN_{words.removesuffix('_ARN')}", output["OutputValue"])


@cache
def _aws(service: Any) -> Any:
    import boto3

    return boto3.client(service)


@cache
def workloads() -> Workloads:
    """workloads.yaml as synth validated it."""
    bucket, key = setting("BACKBURN_WORKLOADS").removeprefix("s3://").split("/", 1)
    body = _aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return Workloads.model_validate_json(body)


def workload(name: str) -> Workload:
    """One workload by its name."""
    return workloads().named(name)


@cache
def artifacts() -> ports.Artifacts:
    """The artifacts bucket."""
    from .adapters.s3 import S3Artifacts

    return S3Artifacts(_aws("s3"), setting("BACKBURN_ARTIFACTS_BUCKET"))


@cache
def incidents() -> ports.Incidents:
    """The incidents table."""
    from .adapters.dynamodb_incidents import DynamoIncidents

    return DynamoIncidents(_aws("dynamodb"), setting("BACKBURN_INCIDENTS_TABLE"))


@cache
def approvals() -> ports.Approvals:
    """The approvals table."""
    from .adapters.dynamodb_approvals import DynamoApprovals

    return DynamoApprovals(_aws("dynamodb"), setting("BACKBURN_APPROVALS_TABLE"))


@cache
def mac_key() -> ports.MacKey:
    """The key of decisions."""
    from .adapters.kms import KmsMacKey

    return KmsMacKey(_aws("kms"), setting("BACKBURN_MAC_KEY"))


@cache
def mailer() -> ports.Mailer:
    """Mail to the operators, and to those approvers whose topics this function is given."""
    from .adapters.sns import SnsMailer

    approvers = json.loads(os.environ.get("BACKBURN_APPROVER_TOPICS", "{}"))
    return SnsMailer(_aws("sns"), setting("BACKBURN_OPERATORS_TOPIC"), approvers)


@cache
def brakes() -> ports.Brakes:
    """The kill switch."""
    from .adapters.ssm import SsmBrakes

    return SsmBrakes(_aws("ssm"), setting("BACKBURN_BRAKES_PARAMETER"))


@cache
def workflow() -> ports.Workflow:
    """The state machine."""
    from .adapters.step_functions import StepFunctions

    return StepFunctions(_aws("stepfunctions"), setting("BACKBURN_STATE_MACHINE"))


@cache
def _secrets() -> ports.Secrets:
    from .adapters.secrets_manager import SecretsManager

    return SecretsManager(_aws("secretsmanager"))


def webhook_tokens() -> Iterator[str]:
    """The shared secret that Honeycomb sends with every delivery, and the one before it.

    Lazily: only who does not send the new one costs the question for the old one.
    """
    secret = setting("BACKBURN_WEBHOOK_SECRET")
    yield _secrets().text(secret).strip()
    yield (_secrets().previous(secret) or "").strip()


def honeycomb_key() -> str:
    """Honeycomb's configuration key."""
    return _secrets().text(setting("BACKBURN_HONEYCOMB_SECRET")).strip()


def secret(name: str) -> str:
    """A secret by its name, e.g. a program's passphrase."""
    return _secrets().text(name)


@cache
def _honeycomb() -> Any:
    import httpx

    from .adapters.honeycomb_api import TIMEOUT

    return httpx.Client(base_url=setting("BACKBURN_HONEYCOMB_URL"), timeout=TIMEOUT)


def telemetry() -> ports.Telemetry:
    """Honeycomb; made anew each time, with the key as it is now."""
    from .adapters.honeycomb_api import HoneycombApi

    return HoneycombApi(_honeycomb(), honeycomb_key())


@cache
def metrics() -> ports.Metrics:
    """CloudWatch."""
    from .adapters.cloudwatch import CloudWatch

    return CloudWatch(_aws("cloudwatch"))


@cache
def rollouts() -> ports.Rollouts:
    """ECS, as AwaitRollout looks at it."""
    from .adapters.ecs import EcsRollouts

    return EcsRollouts(_aws("ecs"))


@cache
def builds() -> ports.Builds:
    """CodeBuild, as one of its builds sees it."""
    import socket

    from .adapters.codebuild import CodeBuilds

    return CodeBuilds(_aws("codebuild"), os.environ, socket.gethostname())


def engine(workload: Workload) -> ports.Engine:
    """The Pulumi engine on the workload's stack."""
    from .adapters.pulumi_cli import PulumiCli

    cache_folder = os.environ.get("BACKBURN_CACHE") or Path.home() / ".cache" / "backburn"
    passphrase = secret(workload.program.passphrase_secret)
    return PulumiCli(workload.program, passphrase, Path(cache_folder).absolute(), os.environ)


def site(workload: Workload) -> Site:
    """What a build needs to carry out a change of the workload's stack."""
    from .applying import Site

    return Site(
        artifacts(), incidents(), approvals(), mac_key(), brakes(), engine(workload), builds(), now
    )


def order() -> Order:
    """What the build was started for."""
    return Order(setting("INCIDENT"), int(setting("ATTEMPT")), setting("WORKLOAD"))


def export(answer: Mapping[str, str]) -> None:
    """Say the build's answer to its buildspec, which sources the file."""
    Path(setting("BACKBURN_EXPORTS")).write_text(lines(answer))
