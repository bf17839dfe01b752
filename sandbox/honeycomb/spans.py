"""From OTLP to rows, field by field as Honeycomb stores them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .events import Event, Scalar

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUS_ERROR = 2
MAX_STRING = 64 * 1024
MAX_FIELDS = 2_000
MAX_DEPTH = 5
MAX_RATE = 1_000_000
MAX_TIME = 2**63 - 1
EXCEPTION_FIELDS = ("exception.message", "exception.type", "exception.stacktrace")
Fields = dict[str, Scalar]


def events_of_traces(request: ExportTraceServiceRequest) -> Iterator[Event]:
    """A row for every span, then one for each of its events and links."""
    for resource_spans in request.resource_spans:
        resource = attributes(resource_spans.resource.attributes)
        dataset = dataset_of(resource)
        for scope_spans in resource_spans.scope_spans:
            shared = resource | _scope(scope_spans.scope)
            for span in scope_spans.spans:
                yield from _span(dataset, shared, span)


def events_of_logs(request: ExportLogsServiceRequest) -> Iterator[Event]:
    """A row for every log record, in the dataset its spans are in."""
    for resource_logs in request.resource_logs:
        resource = attributes(resource_logs.resource.attributes)
        dataset = dataset_of(resource)
        for scope_logs in resource_logs.scope_logs:
            shared = resource | _scope(scope_logs.scope)
            for log in scope_logs.log_records:
                # No meta.annotation_type: a client that filters on it alone still counts logs.
                own: Fields = {"meta.signal_type": "log"}
                own |= _ids(trace=log.trace_id, parent=log.span_id)
                if log.severity_text:
                    own["severity_text"] = log.severity_text
                own["severity_code"] = int(log.severity_number)
                _flatten(own, "body", log.body, 0)
                fields = shared | own | attributes(log.attributes)
                rate = _sample_rate(fields, "")
                yield Event(
                    dataset,
                    min(log.time_unix_nano or log.observed_time_unix_nano, MAX_TIME),
                    rate,
                    fields,
                )


def dataset_of(resource: Mapping[str, Scalar]) -> str:
    """The trimmed service.name; `unknown_service` without one."""
    service = str(resource.get("service.name", "")).strip()
    return "unknown_service" if not service or service.startswith("unknown_service") else service


def attributes(pairs: Iterable[Any]) -> Fields:
    """Flat fields: maps become dotted names, arrays and bytes become JSON text."""
    fields: Fields = {}
    for pair in pairs:
        _flatten(fields, pair.key, pair.value, 0)
    return fields


def _flatten(fields: Fields, name: str, value: Any, depth: int) -> None:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        fields[name] = value.string_value[:MAX_STRING]
    elif kind in ("int_value", "bool_value"):
        fields[name] = getattr(value, kind)
    elif kind == "double_value":
        if math.isfinite(value.double_value):
            fields[name] = value.double_value
    elif kind == "kvlist_value" and depth < MAX_DEPTH:
        for pair in value.kvlist_value.values:
            _flatten(fields, f"{name}.{pair.key}", pair.value, depth + 1)
    elif kind is not None:
        fields[name] = json.dumps(_plain(value))[:MAX_STRING]


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind) if kind else None


def _scope(scope: Any) -> Fields:
    fields: Fields = {}
    if scope.name:
        fields["library.name"] = scope.name
    if scope.version:
        fields["library.version"] = scope.version
    return fields | attributes(scope.attributes)


def _ids(*, trace: bytes, span: bytes = b"", parent: bytes = b"") -> Fields:
    named = {"trace.trace_id": trace, "trace.span_id": span, "trace.parent_id": parent}
    return {name: value.hex() for name, value in named.items() if value}


def _span(dataset: str, shared: Fields, span: Any) -> Iterator[Event]:
    own: Fields = _ids(trace=span.trace_id, span=span.span_id, parent=span.parent_span_id)
    duration = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
    kind = KINDS[span.kind] if span.kind < len(KINDS) else "unspecified"
    own |= {
        "name": span.name,
        "type": kind,
        "span.kind": kind,
        "duration_ms": max(duration, 0.0),
        "status_code": int(span.status.code),
        "span.num_events": len(span.events),
        "span.num_links": len(span.links),
        "meta.signal_type": "trace",
    }
    if duration < 0:
        own["meta.invalid_duration"] = True
    if span.status.message:
        own["status_message"] = span.status.message
    failed: Fields = {"error": True} if span.status.code == STATUS_ERROR else {}
    if span.trace_state:
        own["trace.trace_state"] = span.trace_state
    fields = own | shared | attributes(span.attributes) | failed
    rate = _sample_rate(fields, span.trace_state)
    rows = [_span_event(shared | failed, span, event) for event in span.events]
    first = next((row for _, row in rows if EXCEPTION_FIELDS[0] in row), {})
    for name in EXCEPTION_FIELDS:
        if name in first:
            fields.setdefault(name, first[name])
    start = min(span.start_time_unix_nano, MAX_TIME)
    yield Event(dataset, start, rate, _limited(fields))
    for time, row in rows:
        yield Event(dataset, time, rate, _limited(row))
    for link in span.links:
        row = shared | _annotation(span, "link") | attributes(link.attributes) | failed
        row |= {
            "trace.link.trace_id": link.trace_id.hex(),
            "trace.link.span_id": link.span_id.hex(),
        }
        yield Event(dataset, start, rate, _limited(row))


def _span_event(shared: Fields, span: Any, event: Any) -> tuple[int, Fields]:
    since = max(event.time_unix_nano - span.start_time_unix_nano, 0) / 1e6
    row = shared | _annotation(span, "span_event")
    row |= {"name": event.name, "meta.time_since_span_start_ms": since}
    return min(event.time_unix_nano, MAX_TIME), row | attributes(event.attributes)


def _annotation(span: Any, kind: str) -> Fields:
    return _ids(trace=span.trace_id, parent=span.span_id) | {
        "parent_name": span.name,
        "meta.annotation_type": kind,
        "meta.signal_type": "trace",
    }


def _sample_rate(fields: Fields, trace_state: str) -> int:
    """How many events this one stands for; the attribute is taken out of the fields."""
    for name in ("sampleRate", "SampleRate"):
        if name in fields:
            try:
                return min(max(int(float(fields.pop(name))), 1), MAX_RATE)
            except (ValueError, OverflowError):
                return 1
    for vendor in trace_state.split(","):
        key, _, value = vendor.strip().partition("=")
        for part in value.split(";") if key == "ot" else ():
            if part.startswith("th:"):
                return _rate_of_threshold(part[3:])
    return 1


def _rate_of_threshold(text: str) -> int:
    # OpenTelemetry's consistent sampling: th is a 56-bit rejection threshold, zeros cut off.
    try:
        kept = 2**56 - int(text[:14].ljust(14, "0"), 16)
    except ValueError:
        return 1
    return min(round(2**56 / kept), MAX_RATE) if kept > 0 else 1


def _limited(fields: Fields) -> Fields:
    if len(fields) <= MAX_FIELDS:
        return fields
    return dict(list(fields.items())[:MAX_FIELDS])
