"""The Events API: single events and batches, for clients that do not speak OTLP."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.events import Event, Scalar
from sandbox.honeycomb.otlp import unpack
from sandbox.honeycomb.query import invalid
from sandbox.honeycomb.spans import MAX_RATE, MAX_STRING
from sandbox.honeycomb.standin import StandIn

from .endpoint import Routes, answer, route


class Sent(BaseModel):
    """One event of a batch."""

    model_config = ConfigDict(extra="ignore")
    data: dict[str, Any]
    time: str | int | float | None = None
    samplerate: int = Field(default=1, ge=1, le=MAX_RATE)


MILLISECONDS_FROM = 1e11  # as seconds this would be the year 5138
BATCH = TypeAdapter(list[Sent])


async def one_event(request: Request, standin: StandIn) -> Response:
    """An event: the body is its fields, headers have its time and sample rate."""
    body = {
        "data": await _body(request),
        "time": request.headers.get("x-honeycomb-event-time"),
        "samplerate": request.headers.get("x-honeycomb-samplerate", "1"),
    }
    _store(request, standin, [body])
    return Response(status_code=200)


async def batch(request: Request, standin: StandIn) -> Response:
    """Many events, answered one by one."""
    body = await _body(request)
    return answer([{"status": 202}] * _store(request, standin, body))


async def _body(request: Request) -> Any:
    encoding = request.headers.get("content-encoding", "")
    try:
        return json.loads(unpack(await request.body(), encoding))
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is not JSON: {error}") from error


def _store(request: Request, standin: StandIn, body: Any) -> int:
    try:
        sent = BATCH.validate_python(body)
        times = [_nanoseconds(one.time, standin.clock()) for one in sent]
    except ValidationError as error:
        raise invalid(error, 400) from error
    except (ValueError, OverflowError) as error:
        raise ApiError(400, f"an event's time cannot be read: {error}") from error
    path = request.path_params["dataset"]
    dataset = standin.datasets().get(path.lower(), path)
    standin.events.append(
        Event(dataset, time, one.samplerate, _fields(one.data))
        for time, one in zip(times, sent, strict=True)
    )
    return len(sent)


def _fields(data: dict[str, Any]) -> dict[str, Scalar]:
    fields: dict[str, Scalar] = {}
    for name, value in data.items():
        if isinstance(value, str):
            fields[name] = value[:MAX_STRING]
        elif isinstance(value, (bool, float)):
            fields[name] = value
        elif isinstance(value, int):
            fields[name] = value if abs(value) < 2**63 else float(value)
        elif value is not None:
            fields[name] = json.dumps(value)[:MAX_STRING]
    return fields


def _nanoseconds(time: str | float | None, now: float) -> int:
    # RFC 3339, or a number of seconds or milliseconds since 1970.
    if time is None:
        return int(now * 1e9)
    try:
        number = float(time)
    except ValueError:
        number = datetime.fromisoformat(str(time)).timestamp()
    return int(number * 1e9 if number < MILLISECONDS_FROM else number * 1e6)


ROUTES: Routes = [
    route("/1/events/{dataset}", one_event, "POST", limited=False, events=True),
    route("/1/batch/{dataset}", batch, "POST", limited=False, events=True),
]
