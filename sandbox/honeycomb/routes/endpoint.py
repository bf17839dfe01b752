"""What every endpoint of the v1 API has in common: key, rate limit, body, errors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.honeycomb.errors import ApiError, render
from sandbox.honeycomb.keys import DEFAULT_PER_MINUTE, TooMany, require_key
from sandbox.honeycomb.query import invalid
from sandbox.honeycomb.standin import StandIn

MAX_BODY = 100_000
Endpoint = Callable[[Request, StandIn], Awaitable[Response]]
Body = TypeVar("Body", bound=BaseModel)


def route(
    path: str,
    endpoint: Endpoint,
    method: str = "GET",
    *,
    limited: bool = True,
    events: bool = False,
) -> Route:
    """A route of the v1 API; `events` admits ingest keys, `limited` is the default rate limit."""

    async def serve(request: Request) -> Response:
        standin: StandIn = request.app.state.standin
        left = None
        try:
            key = require_key(request, standin.revoked, events=events)
            if limited:
                left = standin.limits.take(key, f"{method} {path}")
            response = await endpoint(request, standin)
        except ApiError as error:
            response = render(request, error)
            if isinstance(error, TooMany) and limited:
                response.headers["Retry-After"] = error.retry_after
                left = 0
        if left is not None:
            limit = f"limit={DEFAULT_PER_MINUTE}, remaining={left}, reset=60"
            response.headers["RateLimit"] = limit
        return response

    return Route(path, serve, methods=[method])


async def read_json(request: Request) -> Any:
    """The body as JSON: 413 above the limit, 400 if it is none."""
    body = await request.body()
    if len(body) > MAX_BODY:
        raise ApiError(413, f"request body exceeds {MAX_BODY} bytes")
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is not JSON: {error}") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")  # Python would take it


async def read(request: Request, model: type[Body]) -> Body:
    """The body as that model: 422 names the field that is wrong."""
    body = await read_json(request)
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise invalid(error) from error


def found(thing: Any, what: str) -> Any:
    """The thing, or a 404 that names it."""
    if thing is None:
        raise ApiError(404, f"{what} not found")
    return thing


def gone() -> Response:
    """The answer to a delete."""
    return Response(status_code=204)


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return JSONResponse(body, status)


Routes = Sequence[Route]
