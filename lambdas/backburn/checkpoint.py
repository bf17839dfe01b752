"""The stack's state as `pulumi stack export` gives it: what it binds and what it tells us."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from .errors import Refused
from .preview import name_of, short, type_of
from .workload import Model, Resource

KNOWN = 3  # version of the deployment format


class Checkpoint(Model):
    """One state of a stack."""

    sha256: str = Field(description="of everything but the moment it was written")
    pending: tuple[str, ...] = Field(description="operations an interrupted update left")
    providers: Mapping[str, str] = Field(description="provider URN -> name and version")
    resources: Mapping[str, Mapping[str, Any]] = Field(description="URN -> inputs")
    outputs: Mapping[str, Mapping[str, Any]] = Field(description="URN -> outputs")

    def urn(self, resource: Resource) -> str | None:
        """The URN of a resource, if the state holds exactly one such."""
        found = [
            u for u in self.resources if type_of(u) == resource.type and name_of(u) == resource.name
        ]
        return found[0] if len(found) == 1 else None


def read(export: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint of an exported deployment."""
    if export.get("version") != KNOWN:
        raise Refused(f"the state is of version {export.get('version')}, we know {KNOWN}")
    deployment = dict(export["deployment"] or {})
    deployment["manifest"] = {
        k: v for k, v in (deployment.get("manifest") or {}).items() if k != "time"
    }
    resources = deployment.get("resources") or []
    # Outputs may hold floats, so this is no RFC 8785: both sides are written by this function.
    text = json.dumps({"version": KNOWN, "deployment": deployment}, sort_keys=True)
    return Checkpoint(
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        pending=tuple(_pending(p) for p in deployment.get("pending_operations") or []),
        providers={r["urn"]: _version(r) for r in resources if _is_provider(r)},
        resources={r["urn"]: r.get("inputs") or {} for r in resources},
        outputs={r["urn"]: r.get("outputs") or {} for r in resources},
    )


def _pending(operation: Mapping[str, Any]) -> str:
    urn = (operation.get("resource") or {}).get("urn", "a resource")
    return f"{operation.get('type', 'an operation')} {short(urn)}"


def _is_provider(resource: Mapping[str, Any]) -> bool:
    return str(resource.get("type", "")).startswith("pulumi:providers:")


def _version(resource: Mapping[str, Any]) -> str:
    name = str(resource["type"]).removeprefix("pulumi:providers:")
    version = (resource.get("inputs") or {}).get("version", "of unknown version")
    return f"{name} {version}"
