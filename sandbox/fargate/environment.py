"""What a container finds in its environment, as ECS puts it there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .images import Image

_SECRET_FIELDS = 7  # arn:aws:secretsmanager:region:account:secret:name


def environment(
    container: Mapping[str, Any], image: Image, outside: Mapping[str, str], aws: Any
) -> dict[str, str]:
    """Image, machine, task definition and secrets; later ones win.

    `aws(service)` makes a client; a secret that cannot be read raises, and the task fails as on
    Fargate (ResourceInitializationError).
    """
    return {
        **outside,
        **image.env,
        **{entry["name"]: entry["value"] for entry in container.get("environment", ())},
        **{
            entry["name"]: _secret(entry["valueFrom"], aws)
            for entry in container.get("secrets", ())
        },
    }


def _secret(reference: str, aws: Any) -> str:
    if ":secretsmanager:" not in reference:
        name = reference.partition(":parameter")[2] or reference
        found = aws("ssm").get_parameter(Name=name, WithDecryption=True)
        return str(found["Parameter"]["Value"])
    parts = reference.split(":")  # ...:secret:name[:json-key[:stage[:version]]]
    secret = ":".join(parts[:_SECRET_FIELDS])
    text = str(aws("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    key = parts[_SECRET_FIELDS] if len(parts) > _SECRET_FIELDS else ""
    return str(json.loads(text)[key]) if key else text
