"""The Query Data API: create a query, run it, poll the result."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.keys import require_key
from sandbox.honeycomb.objects import Object, new_id
from sandbox.honeycomb.query import parse_query
from sandbox.honeycomb.scope import EVERYTHING
from sandbox.honeycomb.standin import StandIn
from sandbox.honeycomb.statement import Statement

from .endpoint import Routes, answer, found, read, read_json, route

RESULT_LIMIT = 10_000
# A result is never complete at once, so that every client has to poll, as it must in earnest.
INCOMPLETE_SECONDS = 0.2


class ResultBody(BaseModel):
    """What a client sends to run a query."""

    model_config = ConfigDict(extra="forbid")
    query_id: str
    disable_series: bool = False
    disable_total_by_aggregate: bool = True
    disable_other_by_aggregate: bool = True
    limit: int | None = Field(default=None, ge=1, le=RESULT_LIMIT)


async def create_query(request: Request, standin: StandIn) -> Response:
    """Validate and keep a query spec."""
    dataset = standin.dataset(request.path_params["dataset"])
    body = await read_json(request)
    query = parse_query(body)
    scope = standin.scope(dataset, body)
    for field in query.calculated_fields:
        scope.check_expression(field.expression)
    scope.check(query.columns())
    Statement(query, scope, dataset, (0, 1), sampled=False).grouped()  # must compile
    kept = {"id": new_id(), "dataset": dataset, "spec": body}
    standin.objects.put("query", kept)
    return answer({**query.model_dump(mode="json", exclude_unset=True), "id": kept["id"]})


async def get_query(request: Request, standin: StandIn) -> Response:
    """The spec of a query."""
    kept = _query(standin, request.path_params["id"], request.path_params["dataset"])
    return answer({**kept["spec"], "id": kept["id"]})


async def create_result(request: Request, standin: StandIn) -> Response:
    """Start running a query; ten a minute, and the refusal does not say until when."""
    path = request.path_params["dataset"]
    body = await read(request, ResultBody)
    kept = _query(standin, body.query_id, path)
    query = parse_query(kept["spec"])
    now = standin.clock()
    start, end = query.window(now)
    standin.result_limit.take(require_key(request, standin.revoked), "query_results")
    result: Object = {
        "id": new_id(),
        "created": now,
        "query_id": kept["id"],
        "query": kept["spec"],
        "dataset": kept["dataset"],
        "path": path,
        "start": start,
        "end": end,
        "series": not body.disable_series,
        "total": not body.disable_total_by_aggregate,
        "other": not body.disable_other_by_aggregate,
        "limit": (body.limit or query.limit) if body.disable_series else query.limit,
        "complete": False,
    }
    standin.running[result["id"]] = result
    standin.spawn(standin.run(result))
    return answer(_shown(standin, result, complete=False), 201)


async def get_result(request: Request, standin: StandIn) -> Response:
    """The result, complete or not."""
    key, path = request.path_params["id"], request.path_params["dataset"]
    result = standin.objects.get("result", key) or standin.running.get(key)
    if result is None or result["path"] != path:
        raise ApiError(404, f"query result {key!r} not found")
    young = standin.clock() - result["created"] < INCOMPLETE_SECONDS
    response = answer(_shown(standin, result, complete=result["complete"] and not young))
    if result["complete"] and not young:
        response.headers["Cache-Control"] = "max-age=86400"
    return response


def _query(standin: StandIn, key: str, path: str) -> Object:
    dataset = standin.dataset(path)
    kept: Object = found(standin.objects.get("query", key), f"query {key!r}")
    if kept["dataset"] != dataset:
        raise ApiError(404, f"query {key!r} not found in dataset {path!r}")
    return kept


def _shown(standin: StandIn, result: Object, *, complete: bool) -> dict[str, Any]:
    where = "" if result["path"] == EVERYTHING else f"/datasets/{result['path']}"
    url = f"{standin.pages}{where}/result/{result['id']}"
    shown: dict[str, Any] = {
        "id": result["id"],
        "complete": complete,
        "query_id": result["query_id"],
        "query": result["query"],
        "links": {"query_url": url, "graph_image_url": f"{url}/snapshot"},
    }
    if complete:
        shown["data"] = result["data"]
        if "error" in result:
            shown["error"] = result["error"]
    return shown


ROUTES: Routes = [
    route("/1/queries/{dataset}", create_query, "POST", limited=False),
    route("/1/queries/{dataset}/{id}", get_query, limited=False),
    route("/1/query_results/{dataset}", create_result, "POST", limited=False),
    route("/1/query_results/{dataset}/{id}", get_result, limited=False),
]
