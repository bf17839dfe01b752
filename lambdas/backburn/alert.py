"""An Alert: what one delivery of Honeycomb's webhook means.

The body is our own template (payload_template.json.tmpl), because Honeycomb's default body for
burn alerts is undocumented. Only the SLO id routes; every other text is data from strangers.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from .errors import Malformed
from .workload import Model

SCHEMA = "backburn/v1"
TEXT_LIMIT = 400
ID_LIMIT = 200


class AlertStatus(StrEnum):
    """Honeycomb's two words; it has been seen to write them in lower case, too."""

    TRIGGERED = "TRIGGERED"
    OK = "OK"


class Alert(Model):
    """One authenticated delivery, understood."""

    status: AlertStatus
    instance: str  # unique per firing; its OK carries the same one
    slo: str
    name: str
    summary: str
    is_test: bool


def parse(body: bytes) -> Alert:
    """The alert of a webhook body; Malformed says what is wrong with it."""
    try:
        data = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the body is not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise Malformed(
            f'the body has no "schema": "{SCHEMA}": install payload_template.json.tmpl as the '
            "payload template of the Honeycomb recipient"
        )
    is_test = data.get("isTest") in (True, "true")
    return Alert(
        status=_status(data.get("status")),
        instance=_id(data, "instanceId", required=not is_test),
        slo=_id(data, "sloId", required=not is_test),
        name=plain(data.get("name")),
        summary=plain(data.get("summary")),
        is_test=is_test,
    )


def plain(text: Any) -> str:
    """Text of strangers as one bounded line without control characters."""
    words = "".join(c if c.isprintable() else " " for c in str(text or "")).split()
    line = " ".join(words)
    return line if len(line) <= TEXT_LIMIT else f"{line[: TEXT_LIMIT - 3]}..."


def _status(value: Any) -> AlertStatus:
    try:
        return AlertStatus(str(value).upper())
    except ValueError:
        raise Malformed(f'"status" must be TRIGGERED or OK, not {plain(value)[:40]!r}') from None


def _id(data: dict[str, Any], field: str, *, required: bool) -> str:
    value = data.get(field)
    if isinstance(value, str) and 0 < len(value) <= ID_LIMIT and value.isprintable():
        return value
    if not required:
        return ""
    raise Malformed(f'"{field}" must be a text of 1 to {ID_LIMIT} characters')
