"""Who the key belongs to, and what columns there are."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb.burn import iso
from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.events import COLUMN_TYPES, Column
from sandbox.honeycomb.keys import is_ingest
from sandbox.honeycomb.scope import EVERYTHING, slug
from sandbox.honeycomb.standin import TEAM, StandIn

from .endpoint import Routes, answer, found, read, route

PERMISSIONS = (
    "events",
    "markers",
    "triggers",
    "boards",
    "queries",
    "columns",
    "createDatasets",
    "slos",
    "recipients",
    "privateBoards",
)
# What Honeycomb calls a dataset's definitions: its name for the role, the column that plays it.
DEFINITIONS = {
    "annotation_type": "meta.annotation_type",
    "duration_ms": "duration_ms",
    "error": "error",
    "link_span_id": "trace.link.span_id",
    "link_trace_id": "trace.link.trace_id",
    "name": "name",
    "parent_id": "trace.parent_id",
    "route": "http.route",
    "service_name": "service.name",
    "span_id": "trace.span_id",
    "span_kind": "span.kind",
    "status": "http.status_code",
    "trace_id": "trace.trace_id",
}


class ColumnBody(BaseModel):
    """What a client sends to create a column ahead of its first value."""

    model_config = ConfigDict(extra="ignore")
    key_name: str = Field(min_length=1, max_length=255)
    type: Literal["string", "float", "integer", "boolean"] = "string"


class DatasetBody(BaseModel):
    """What a client sends to create a dataset ahead of its first event."""

    model_config = ConfigDict(extra="ignore")
    name: str = Field(min_length=1, max_length=255)


async def auth(request: Request, standin: StandIn) -> Response:
    """What the key may do; and, here, which limits of Honeycomb are lifted."""
    place = {"name": TEAM, "slug": TEAM}
    ingest = is_ingest(request.headers["x-honeycomb-team"])
    body: dict[str, Any] = {
        "id": "hcxlk_sandbox",
        "type": "ingest" if ingest else "configuration",
        "team": place,
        "environment": place,
        "api_key_access": {name: name == "events" or not ingest for name in PERMISSIONS},
    }
    if standin.relaxed:
        body["sandbox"] = {"relaxed": "burn-alert windows may be shorter than 60 minutes"}
    return answer(body)


async def list_datasets(_request: Request, standin: StandIn) -> Response:
    """Every dataset."""
    return answer([_dataset(standin, name) for name in standin.datasets().values()])


async def create_dataset(request: Request, standin: StandIn) -> Response:
    """A dataset without events; 200 if it is there already."""
    body = await read(request, DatasetBody)
    if slug(body.name) in standin.datasets():
        return answer(_dataset(standin, standin.datasets()[slug(body.name)]))
    standin.objects.put("dataset", {"id": slug(body.name), "name": body.name})
    return answer(_dataset(standin, body.name), 201)


async def get_dataset(request: Request, standin: StandIn) -> Response:
    """One dataset."""
    return answer(_dataset(standin, standin.dataset(request.path_params["dataset"])))


async def definitions(request: Request, standin: StandIn) -> Response:
    """Which column plays which role; only roles whose column exists are there."""
    known = standin.events.columns(standin.dataset(request.path_params["dataset"]))
    return answer(
        {
            role: {"name": name, "column_type": "column"}
            for role, name in DEFINITIONS.items()
            if name in known
        }
    )


async def create_column(request: Request, standin: StandIn) -> Response:
    """A column ahead of its first value: the way to query it before any event carries it."""
    dataset = standin.dataset(request.path_params["dataset"])
    body = await read(request, ColumnBody)
    if dataset == EVERYTHING:
        raise ApiError(422, "a column belongs to one dataset")
    if body.key_name in standin.events.columns(dataset):
        raise ApiError(409, f"column {body.key_name!r} exists already")
    kind = next(sql for sql, name in COLUMN_TYPES.items() if name == body.type)
    standin.events.declare(dataset, body.key_name, kind, int(standin.clock() * 1e9))
    return answer(_column(standin.events.columns(dataset)[body.key_name]), 201)


async def list_columns(request: Request, standin: StandIn) -> Response:
    """The columns of a dataset, or the one of `?key_name=`."""
    dataset = standin.dataset(request.path_params["dataset"])
    known = standin.events.columns(None if dataset == EVERYTHING else dataset)
    wanted = request.query_params.get("key_name")
    if wanted is not None:
        return answer(_column(found(known.get(wanted), f"column {wanted!r}")))
    return answer([_column(column) for column in known.values()])


def _column(column: Column) -> dict[str, Any]:
    moment = iso(column.created / 1e9)
    return {
        "id": f"{slug(column.name)}",
        "key_name": column.name,
        "type": COLUMN_TYPES[next(iter(column.physical))],
        "description": "",
        "hidden": False,
        "created_at": moment,
        "updated_at": moment,
        "last_written": moment,
    }


def _dataset(standin: StandIn, name: str) -> dict[str, Any]:
    columns = standin.events.columns(name)
    first = min((column.created for column in columns.values()), default=0)
    return {
        "name": name,
        "slug": slug(name),
        "description": "",
        "expand_json_depth": 0,
        "regular_columns_count": len(columns),
        "created_at": iso(first / 1e9),
        "last_written_at": iso(standin.clock()) if columns else None,
    }


ROUTES: Routes = [
    route("/1/auth", auth, events=True),
    route("/1/datasets", list_datasets),
    route("/1/datasets", create_dataset, "POST"),
    route("/1/datasets/{dataset}", get_dataset),
    route("/1/dataset_definitions/{dataset}", definitions),
    route("/1/columns/{dataset}", list_columns),
    route("/1/columns/{dataset}", create_column, "POST"),
]
