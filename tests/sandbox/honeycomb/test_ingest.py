"""OTLP in both encodings, and the fields as Honeycomb stores them."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sandbox.honeycomb.events import Event
from sandbox.honeycomb.spans import events_of_logs, events_of_traces
from tests.sandbox.honeycomb.conftest import NOW, Api

START = int(NOW * 1e9) - 60_000_000_000
TRACE, PARENT, CHILD = b"\x01" * 16, b"\x02" * 8, b"\x03" * 8


def pair(key: str, **value: Any) -> KeyValue:
    """An attribute."""
    return KeyValue(key=key, value=AnyValue(**value))


def request(*spans: Span, service: str = "shop") -> ExportTraceServiceRequest:
    """An export of these spans."""
    message = ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.append(pair("service.name", string_value=service))
    resource_spans.scope_spans.add(scope={"name": "lib", "version": "2"}).spans.extend(spans)
    return message


def span(**changes: Any) -> Span:
    """A root span of 1.5 seconds."""
    fields: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": PARENT,
        "name": "POST",
        "kind": Span.SPAN_KIND_SERVER,
        "start_time_unix_nano": START,
        "end_time_unix_nano": START + 1_500_000_000,
    }
    return Span(**fields | changes)


def rows(*spans: Span) -> list[Event]:
    """The rows these spans become."""
    return list(events_of_traces(request(*spans)))


def test_a_root_span_has_no_parent_field_and_no_error_field() -> None:
    """Absent is absent: no empty parent, no `error: false`."""
    (event,) = rows(span(attributes=[pair("http.status_code", int_value=200)]))
    assert event == Event(
        dataset="shop",
        time=START,
        rate=1,
        fields={
            "trace.trace_id": "01" * 16,
            "trace.span_id": "02" * 8,
            "name": "POST",
            "type": "server",
            "span.kind": "server",
            "duration_ms": 1500.0,
            "status_code": 0,
            "span.num_events": 0,
            "span.num_links": 0,
            "meta.signal_type": "trace",
            "service.name": "shop",
            "library.name": "lib",
            "library.version": "2",
            "http.status_code": 200,
        },
    )


def test_a_failed_child_has_parent_error_and_message() -> None:
    """Status 2 becomes `error: true` beside status_code and status_message."""
    (event,) = rows(span(parent_span_id=CHILD, status={"code": 2, "message": "no"}))
    found = {
        name: event.fields[name]
        for name in ("trace.parent_id", "error", "status_code", "status_message")
    }
    assert found == {
        "trace.parent_id": "03" * 8,
        "error": True,
        "status_code": 2,
        "status_message": "no",
    }


def test_a_span_that_ends_before_it_starts_lasts_nothing() -> None:
    """A negative duration becomes 0, and says so."""
    (event,) = rows(span(end_time_unix_nano=START - 1))
    assert (event.fields["duration_ms"], event.fields["meta.invalid_duration"]) == (0.0, True)


def test_events_and_links_are_rows_of_their_own() -> None:
    """They hang on the span by trace.parent_id and have no trace.span_id."""
    one = span(
        events=[
            Span.Event(
                name="exception",
                time_unix_nano=START + 2_000_000,
                attributes=[
                    pair("exception.type", string_value="Timeout"),
                    pair("exception.message", string_value="too slow"),
                ],
            )
        ],
        links=[Span.Link(trace_id=b"\x09" * 16, span_id=CHILD)],
    )
    main, event, link = rows(one)
    assert main.fields["exception.type"] == "Timeout"
    assert event.time == START + 2_000_000
    assert event.fields["meta.annotation_type"] == "span_event"
    assert event.fields["trace.parent_id"] == "02" * 8
    assert event.fields["meta.time_since_span_start_ms"] == 2.0
    assert "trace.span_id" not in event.fields
    assert link.fields["meta.annotation_type"] == "link"
    assert link.fields["trace.link.span_id"] == "03" * 8


def test_nested_maps_are_dotted_and_arrays_are_json_text() -> None:
    """Fields are flat scalars whatever the attribute was."""
    nested = AnyValue(kvlist_value=KeyValueList(values=[pair("city", string_value="Bern")]))
    array = AnyValue(
        array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="b")])
    )
    (event,) = rows(
        span(
            attributes=[
                KeyValue(key="at", value=nested),
                KeyValue(key="list", value=array),
                pair("ratio", double_value=float("nan")),
            ]
        )
    )
    assert event.fields["at.city"] == "Bern"
    assert event.fields["list"] == '[1, "b"]'
    assert "ratio" not in event.fields


def test_a_span_attribute_overrides_the_resource() -> None:
    """Later overrides earlier."""
    (event,) = rows(span(attributes=[pair("service.name", string_value="other")]))
    assert (event.dataset, event.fields["service.name"]) == ("shop", "other")


@pytest.mark.parametrize("service", ["", "  ", "unknown_service:python"])
def test_spans_without_a_service_go_to_unknown_service(service: str) -> None:
    """The dataset is the trimmed service name, or this."""
    (event,) = events_of_traces(request(span(), service=service))
    assert event.dataset == "unknown_service"


def test_the_sample_rate_is_read_and_taken_out() -> None:
    """An attribute, or OpenTelemetry's threshold in the trace state."""
    by_attribute, by_state = rows(
        span(attributes=[pair("SampleRate", int_value=4)]), span(trace_state="ot=th:8;rv:1,x=y")
    )
    assert (by_attribute.rate, by_state.rate) == (4, 2)
    assert "SampleRate" not in by_attribute.fields


def test_logs_share_the_dataset_and_are_no_annotations() -> None:
    """Only meta.signal_type tells a log from a span."""
    message = ExportLogsServiceRequest()
    logs = message.resource_logs.add()
    logs.resource.attributes.append(pair("service.name", string_value="shop"))
    record = logs.scope_logs.add().log_records.add(time_unix_nano=START, trace_id=TRACE)
    record.body.string_value = "hello"
    (event,) = events_of_logs(message)
    assert event.dataset == "shop"
    assert event.fields["meta.signal_type"] == "log"
    assert event.fields["body"] == "hello"
    assert "meta.annotation_type" not in event.fields


def as_json(message: ExportTraceServiceRequest) -> bytes:
    """OTLP/JSON: ids in hex, where protobuf's JSON has base64."""
    body = MessageToDict(message)
    for one in body["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        one |= {"traceId": "01" * 16, "spanId": "02" * 8}
    return json.dumps(body).encode()


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize("zipped", [False, True])
def test_both_encodings_store_the_same_plain_or_zipped(
    api: Api, encoding: str, zipped: bool
) -> None:
    """A span sent any way is found by its trace id."""
    message = request(span())
    kind = "application/json" if encoding == "json" else "application/x-protobuf"
    body = as_json(message) if encoding == "json" else message.SerializeToString()
    headers = {"Content-Type": kind, "X-Honeycomb-Team": "hcxik_ingest"}
    if zipped:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    answer = api.client.post("/v1/traces", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert api.rows({"breakdowns": ["trace.trace_id", "duration_ms"]}) == [
        {"trace.trace_id": "01" * 16, "duration_ms": 1500.0, "COUNT": 1}
    ]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"\xff\xff", {"Content-Type": "application/x-protobuf"}),
        (b"{", {"Content-Type": "application/json"}),
        (b"[" * 100_000, {"Content-Type": "application/json"}),
        (b"{}", {"Content-Type": "text/plain"}),
        (b"not gzip", {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
        (b"{}", {"Content-Type": "application/json", "Content-Encoding": "br"}),
    ],
)
def test_what_is_not_otlp_is_refused(api: Api, body: bytes, headers: dict[str, str]) -> None:
    """400 with a reason; nothing is stored."""
    answer = api.client.post("/v1/traces", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert api.client.get("/1/datasets").json() == []


@pytest.mark.parametrize("signal", ["logs", "metrics"])
def test_logs_and_metrics_are_accepted(api: Api, signal: str) -> None:
    """An empty export of either is fine."""
    headers = {"Content-Type": "application/x-protobuf"}
    assert api.client.post(f"/v1/{signal}", content=b"", headers=headers).status_code == 200


def test_events_and_batches_are_stored(api: Api) -> None:
    """For clients that do not speak OTLP: time and sample rate beside the fields."""
    headers = {"X-Honeycomb-Event-Time": str(NOW - 60), "X-Honeycomb-Samplerate": "3"}
    one = api.client.post("/1/events/plain", json={"n": 1, "list": [1]}, headers=headers)
    assert one.status_code == 200
    time = "2026-09-21T14:13:00Z"
    batch = [{"time": time, "data": {"n": 2}}, {"data": {"n": 2, "none": None}}]
    sent = api.client.post("/1/batch/plain", json=batch)
    assert sent.json() == [{"status": 202}, {"status": 202}]
    api.clock.now += 60
    rows = api.rows({"breakdowns": ["n", "list"]}, "plain")
    assert rows == [{"n": 1, "list": "[1]", "COUNT": 3}, {"n": 2, "COUNT": 2}]
    assert api.client.post("/1/batch/plain", json={"n": 1}).status_code == 400
    wrong = [{"data": {}, "time": "yesterday"}]
    assert api.client.post("/1/batch/plain", json=wrong).status_code == 400
