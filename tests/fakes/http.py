"""Events as API Gateway's HTTP API sends them (payload format 2.0)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode


def webhook(body: str | bytes, **headers: str) -> dict[str, Any]:
    """POST /webhooks/honeycomb; a header's underscores are dashes."""
    raw = body.encode() if isinstance(body, str) else body
    told = {"content-type": "application/json", "user-agent": "Honeycomb"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    return _event("POST", "/webhooks/honeycomb", told, raw, text=True)


def approval(method: str, link: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """GET, HEAD or POST /approvals/{link}; a form body arrives in base64."""
    headers = {"user-agent": "Browser", "sec-fetch-mode": "navigate"}
    raw = urlencode(form).encode() if form is not None else None
    if raw is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
    event = _event(method, f"/approvals/{link}", headers, raw, text=False)
    return event | {"pathParameters": {"link": link}}


def _event(
    method: str, path: str, headers: dict[str, str], body: bytes | None, *, text: bool
) -> dict[str, Any]:
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "198.51.100.7"}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "headers": headers,
        "requestContext": {"http": http | {"userAgent": headers["user-agent"]}},
        "isBase64Encoded": body is not None and not text,
    }
    if body is not None:
        event["body"] = body.decode() if text else base64.b64encode(body).decode()
    return event
