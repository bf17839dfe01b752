"""Rows of a dataset as the OTLP/JSON request that would have written them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_OWN = {"time", "duration_ms", "name", "error", "span.kind"}
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


def export_request(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One request with every row as a span; only the service's name is a resource attribute."""
    by_service: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        by_service.setdefault(event["service.name"], []).append(_span(event))
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [_attribute("service.name", service)]},
                "scopeSpans": [{"spans": spans}],
            }
            for service, spans in by_service.items()
        ]
    }


def _span(event: Mapping[str, Any]) -> dict[str, Any]:
    start = round(event["time"] * 1e9)
    span = {
        "traceId": event["trace.trace_id"],
        "spanId": event["trace.span_id"],
        "name": event["name"],
        "kind": _KINDS.index(event["span.kind"]),
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + round(event["duration_ms"] * 1e6)),
        "status": {"code": 2} if event.get("error") else {},
        "attributes": [
            _attribute(key, value)
            for key, value in event.items()
            if key not in _OWN and key != "service.name" and not key.startswith("trace.")
        ],
    }
    if "trace.parent_id" in event:
        span["parentSpanId"] = event["trace.parent_id"]
    return span


def _attribute(key: str, value: Any) -> dict[str, Any]:
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue"}.get(type(value))
    return {"key": key, "value": {kind or "stringValue": value}}
