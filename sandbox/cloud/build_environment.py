"""The variables a build sees: the machine's, the buildspec's, the project's and its overrides."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from .buildspec import Buildspec
from .caller import Caller
from .settings import Settings

_ARN_FIELDS = 7  # arn:aws:secretsmanager:region:account:secret:name


def machine(settings: Settings, caller: Caller, work: Path) -> dict[str, str]:
    """What the build container itself would set."""
    return {
        "PATH": os.pathsep.join(filter(None, [settings.build_path, os.environ["PATH"]])),
        "HOME": str(work),
        "TMPDIR": str(work),
        "LANG": "C.UTF-8",
        "CI": "true",
        "AWS_ENDPOINT_URL": caller.endpoint,
        "AWS_REGION": caller.region,
        "AWS_DEFAULT_REGION": caller.region,
        "AWS_ACCESS_KEY_ID": caller.account,
        "AWS_SECRET_ACCESS_KEY": "test",
        "CODEBUILD_SRC_DIR": str(work / "src"),
        **settings.build_env,
    }


def declared(
    spec: Buildspec, variables: Iterable[Mapping[str, str]], caller: Caller
) -> tuple[dict[str, str], list[str]]:
    """The declared variables, and which of their values must not appear in logs.

    The project's and the call's own win over the buildspec's, as in CodeBuild.
    """
    typed = [(name, "PARAMETER_STORE", value) for name, value in spec.parameters.items()]
    typed += [(name, "SECRETS_MANAGER", value) for name, value in spec.secrets.items()]
    typed += [(v["name"], v.get("type", "PLAINTEXT"), v["value"]) for v in variables]
    values, secrets = dict(spec.variables), []
    for name, kind, value in typed:
        values[name] = value
        if kind == "PARAMETER_STORE":
            values[name] = _parameter(value, caller)
            secrets.append(values[name])
        elif kind == "SECRETS_MANAGER":
            values[name] = _secret(value, caller)
            secrets.append(values[name])
    return values, secrets


def _parameter(name: str, caller: Caller) -> str:
    found = caller.client("ssm").get_parameter(Name=name, WithDecryption=True)
    return str(found["Parameter"]["Value"])


def _secret(reference: str, caller: Caller) -> str:
    """`secret-id[:json-key[:stage[:version]]]`."""
    fields = _ARN_FIELDS if reference.startswith("arn:") else 1
    parts = reference.split(":")
    secret = ":".join(parts[:fields])
    text = caller.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    key = parts[fields] if len(parts) > fields else ""
    return str(json.loads(text)[key] if key else text)
