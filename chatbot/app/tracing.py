"""The root span of every request, from its arrival to the last byte of its answer."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .telemetry import Telemetry

NOT_TRACED = frozenset({"/api/health"})
SERVER_ERROR = 500


class TracedRequests:
    """ASGI middleware. Queueing inside the service is the self time of its span."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._tracer = telemetry.tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request inside its span."""
        if scope["type"] != "http" or scope["path"] in NOT_TRACED:
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        with (
            self._tracer.start_as_current_span(
                scope["method"],
                context=extract(headers),
                kind=SpanKind.SERVER,
                attributes={
                    "http.method": scope["method"],
                    "http.target": scope["path"],  # without the query: strangers write that
                    "http.scheme": scope["scheme"],
                    "http.user_agent": headers.get("user-agent", "")[:100],
                },
                record_exception=False,
            ) as span
        ):

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _answered(span, scope, message["status"])
                await send(message)

            await self._app(scope, receive, answer)


def _answered(span: trace.Span, scope: Scope, status: int) -> None:
    span.set_attribute("http.status_code", status)
    route = scope.get("route")
    if route is not None:
        span.set_attribute("http.route", route.path)
    if status >= SERVER_ERROR:
        span.set_status(Status(StatusCode.ERROR))
