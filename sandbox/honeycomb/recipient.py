"""Webhook recipients and the payloads made for them."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from .burn import Firing, iso
from .objects import Object
from .pipeline import TemplateError
from .template import check, render

RESERVED = frozenset({"content-type", "user-agent", "x-honeycomb-webhook-token"})
VARIABLE = re.compile(r"[a-z][a-zA-Z0-9]*")
ENVIRONMENT = "sandbox"


class Header(BaseModel):
    """A header of one's own on every delivery."""

    header: str = Field(min_length=1, max_length=64)
    value: str = Field(default="", max_length=750)

    @field_validator("header")
    @classmethod
    def _not_reserved(cls, name: str) -> str:
        if name.lower() in RESERVED:
            raise ValueError(f"header {name!r} is reserved")
        return name


class Variable(BaseModel):
    """A variable of the payload template."""

    name: str = Field(max_length=64)
    default_value: str = Field(default="", max_length=256)

    @field_validator("name")
    @classmethod
    def _spelled(cls, name: str) -> str:
        if not VARIABLE.fullmatch(name):
            raise ValueError(f"variable name {name!r} must match {VARIABLE.pattern}")
        return name


class Template(BaseModel):
    """One payload template."""

    body: str

    @field_validator("body")
    @classmethod
    def _parses(cls, body: str) -> str:
        try:
            check(body)
        except TemplateError as error:
            raise ValueError(f"payload template: {error}") from error
        return body


class Payloads(BaseModel):
    """Templates by alert type, and their variables."""

    template_variables: list[Variable] = Field(default=[], max_length=10)
    payload_templates: dict[Literal["trigger", "budget_rate", "exhaustion_time"], Template] = {}


class Details(BaseModel):
    """Where and how to deliver."""

    webhook_name: str = Field(min_length=1, max_length=255)
    webhook_url: str = Field(max_length=2048, pattern=r"^https?://")
    webhook_secret: str = Field(default="", max_length=255)
    webhook_headers: list[Header] = Field(default=[], max_length=5)
    webhook_payloads: Payloads | None = None


class RecipientBody(BaseModel):
    """What a client sends to create or replace a recipient."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["webhook"]
    details: Details


def headers(recipient: Object, delivery: str) -> dict[str, str]:
    """The headers of a delivery; the token only if there is a secret."""
    details = recipient["details"]
    own = {item["header"]: item["value"] for item in details.get("webhook_headers") or []}
    secret = details.get("webhook_secret")
    fixed = {
        "Content-Type": "application/json",
        "User-Agent": "Honeycomb.io (stand-in)",
        "X-Honeycomb-Webhook-Delivery-ID": delivery,
    }
    return own | fixed | ({"X-Honeycomb-Webhook-Token": secret} if secret else {})


def payload(firing: Firing, recipient: Object, overrides: Object | None, pages: str) -> str:
    """The body for this recipient; TemplateError if its template does not give JSON."""
    payloads = recipient["details"].get("webhook_payloads") or {}
    template = (payloads.get("payload_templates") or {}).get("budget_rate")
    if template is None:
        return json.dumps(_default(firing, pages))
    text = render(template["body"], _variables(firing, recipient, payloads, overrides, pages))
    try:
        json.loads(text)
    except ValueError as error:
        raise TemplateError(f"Failed to send: the payload is not JSON: {error}") from error
    return text


def _slo_url(firing: Firing, pages: str) -> str:
    return f"{pages}/datasets/{firing.slo['dataset_slugs'][0]}/slo/{firing.slo['id']}"


def _variables(
    firing: Firing, recipient: Object, payloads: Object, overrides: Object | None, pages: str
) -> dict[str, Any]:
    chosen = {v["name"]: v.get("default_value", "") for v in payloads.get("template_variables", [])}
    for variable in (overrides or {}).get("variables") or []:
        if variable["name"] in chosen:
            chosen[variable["name"]] = variable["value"]
    alert = firing.alert
    url = _slo_url(firing, pages)
    return {
        "Name": firing.slo["name"],
        "ID": alert["id"],
        "Description": alert.get("description", ""),
        "URL": url,
        "Environment": ENVIRONMENT,
        "Datasets": list(firing.slo["dataset_slugs"]),
        "SLO": {"ID": firing.slo["id"], "URL": url},
        "SLI": {"URL": f"{url}/sli"},
        "Alert": {
            "InstanceID": firing.instance,
            "Description": alert.get("description", ""),
            "Status": firing.status,
            "Summary": firing.summary,
            "IsTest": firing.test,
            "Timestamp": iso(firing.at),
            "BudgetDecrease": f"{firing.decrease_per_million / 10_000:.2f}%",
        },
        "Recipient": {
            "Name": recipient["details"]["webhook_name"],
            "Secret": recipient["details"].get("webhook_secret", ""),
        },
        "Vars": chosen,
        "BudgetRateWindowMinutes": alert["budget_rate_window_minutes"],
        "BudgetDecreaseThreshold": (
            f"{alert['budget_rate_decrease_threshold_per_million'] / 10_000:g}%"
        ),
    }


def _default(firing: Firing, pages: str) -> dict[str, Any]:
    # No primary sample of this body for burn alerts is published: nothing should rely on it.
    return {
        "version": "v0.1.0",
        "alert_type": "on_change",
        "name": firing.slo["name"],
        "id": firing.alert["id"],
        "status": firing.status,
        "summary": firing.summary,
        "description": firing.alert.get("description", ""),
        "trigger_url": "",
        "slo_url": _slo_url(firing, pages),
        "sli_url": f"{_slo_url(firing, pages)}/sli",
        "result_groups": None,
        "is_test": firing.test,
    }
