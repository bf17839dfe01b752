"""Requests of the chatbot as rows of its dataset, drawn without chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from backburn.sli import Window

SERVICE = "otel-ai-chatbot-backend"
SLI = (
    'IF(AND(EQUALS($http.target, "/api/chat"), NOT(EXISTS($trace.parent_id))),'
    " AND(LTE($duration_ms, 1000), LT($http.status_code, 500)))"
)


@dataclass(frozen=True)
class Chat:
    """How a chat goes: milliseconds of own work and of the model's, and whether the model fails."""

    own_ms: float = 150
    model_ms: float = 350
    throttled: bool = False
    revision: str | None = "7"
    route: str = "/api/chat"


def requests(window: Window, per_second: float, *kinds: Chat) -> Iterator[dict[str, Any]]:
    """Evenly spaced requests over the window, taking turns between the kinds."""
    total = int(window.seconds * per_second) if kinds else 0
    for number in range(total):
        kind = kinds[number % len(kinds)]
        # Spread by up to a tenth, so that percentiles are of something.
        scale = 0.95 + 0.1 * (number % 11) / 10
        yield from _chat(
            window.first + number / per_second, f"{window.first}-{number}-{kind.route}", kind, scale
        )


def _chat(at: float, name: str, kind: Chat, scale: float) -> Iterator[dict[str, Any]]:
    own, model = kind.own_ms * scale, kind.model_ms * scale
    search = own * 0.6
    common = {"trace.trace_id": _id(name, 32), "service.name": SERVICE}
    if kind.revision:
        common["aws.ecs.task.revision"] = kind.revision
    failed = {"error": True, "exception.type": "ThrottlingException"} if kind.throttled else {}
    error = {"error": True} if kind.throttled else {}

    def span(place: int, parent: int | None, start: float, ms: float, **columns: Any) -> Any:
        ids = {"trace.span_id": _id(f"{name}.{place}", 16)}
        if parent is not None:
            ids["trace.parent_id"] = _id(f"{name}.{parent}", 16)
        return {**common, **ids, "time": at + start / 1000, "duration_ms": ms, **columns}

    status = {"http.target": kind.route, "http.status_code": 500 if kind.throttled else 200}
    yield span(0, None, 0, own + model, name="POST", **{"span.kind": "server"}, **status, **error)
    yield span(
        1, 0, 0, own + model, name="rag.generate_response", **{"span.kind": "internal"}, **error
    )
    yield span(2, 1, 0, search, name="rag.vector_search", **{"span.kind": "internal"})
    yield span(
        3,
        1,
        search,
        model,
        name="chat anthropic.claude-3-5-sonnet",
        **{"span.kind": "client", "gen_ai.system": "aws.bedrock"},
        **failed,
    )


def _id(name: str, digits: int) -> str:
    return sha256(name.encode()).hexdigest()[:digits]
