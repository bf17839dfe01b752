"""OTLP/HTTP: traces and logs are stored, metrics are accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.events import Event
from sandbox.honeycomb.otlp import JSON, MAX_BODY, decode, unpack
from sandbox.honeycomb.spans import events_of_logs, events_of_traces
from sandbox.honeycomb.standin import StandIn

from .endpoint import Endpoint, Routes, route

Read = Callable[[Any], Iterable[Event]]


def _receive(request_type: type[Any], response_type: type[Any], read: Read) -> Endpoint:
    async def receive(request: Request, standin: StandIn) -> Response:
        body = unpack(await request.body(), request.headers.get("content-encoding", ""))
        if len(body) > MAX_BODY:
            raise ApiError(413, f"request body exceeds {MAX_BODY} bytes")
        content_type = request.headers.get("content-type", "")
        message = request_type()
        decode(message, body, content_type)
        standin.events.append(read(message))
        if content_type.startswith(JSON):
            return Response(MessageToJson(response_type()), media_type=JSON)
        return Response(response_type().SerializeToString(), media_type="application/x-protobuf")

    return receive


def _nothing(_message: Any) -> Iterable[Event]:
    # The product reads metrics from CloudWatch; here they are only taken.
    return ()


traces = _receive(ExportTraceServiceRequest, ExportTraceServiceResponse, events_of_traces)
logs = _receive(ExportLogsServiceRequest, ExportLogsServiceResponse, events_of_logs)
metrics = _receive(ExportMetricsServiceRequest, ExportMetricsServiceResponse, _nothing)

ROUTES: Routes = [
    route("/v1/traces", traces, "POST", limited=False, events=True),
    route("/v1/logs", logs, "POST", limited=False, events=True),
    route("/v1/metrics", metrics, "POST", limited=False, events=True),
]
