"""Who the key belongs to, and what columns there are."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb.burn import iso
from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.events import COLUMN_TYPES, Column
from sandbox.honeycomb.objects import Object, new_id
from sandbox.honeycomb.scope import EVERYTHING, derived_columns, slug
from sandbox.honeycomb.standin import TEAM, StandIn
from .endpoint import Routes, answer, found, gone, read, route

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


class DerivedColumnBody(BaseModel):
    """What a client sends to create or replace a derived column."""

    model_config = ConfigDict(extra="ignore")
    alias: str = Field(min_length=1, max_length=255)
    expression: str = Field(min_length=1, max_length=4095)
    description: str = Field(default="", max_length=255)


class DatasetBody(BaseModel):
    """What a client sends to create a dataset ahead of its first event."""

    model_config = ConfigDict(extra="ignore")
    name: str = Field(min_length=1, max_length=255)


async def auth(_request: Request, standin: StandIn) -> Response:
    """What the key may do; and, here, which limits of Honeycomb are lifted."""
    place = {"name": TEAM, "slug": TEAM}
    access = dict.fromkeys(PERMISSIONS, True)
    body: dict[str, Any] = {
        "id": "hcxlk_sandbox",
        "type": "configuration",
        "team": place,
        "environment": place,
        "api_key_access": access,
        "time_to_live": None,
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


async def list_columns(request: Request, standin: StandIn) -> Response:
    """The columns of a dataset, or the one of `?key_name=`."""
    dataset = standin.dataset(request.path_params["dataset"])
    known = standin.events.columns(None if dataset == EVERYTHING else dataset)
    wanted = request.query_params.get("key_name")
    if wanted is not None:
        return answer(_column(found(known.get(wanted), f"column {wanted!r}")))
    return answer([_column(column) for column in known.values()])


async def list_derived(request: Request, standin: StandIn) -> Response:
    """The derived columns of a dataset, or the one of `?alias=`."""
    known = derived_columns(standin.objects, standin.dataset(request.path_params["dataset"]))
    wanted = request.query_params.get("alias")
    if wanted is None:
        return answer([_derived(one) for one in known])
    one = next((one for one in known if one["alias"] == wanted), None)
    return answer(_derived(found(one, f"derived column {wanted!r}")))


async def create_derived(request: Request, standin: StandIn) -> Response:
    """A new derived column: its expression must compile and read known columns."""
    dataset = standin.dataset(request.path_params["dataset"])
    body = await read(request, DerivedColumnBody)
    if any(one["alias"] == body.alias for one in derived_columns(standin.objects, dataset)):
        raise ApiError(409, f"derived column {body.alias!r} exists already")
    standin.scope(dataset).check_expression(body.expression)
    return answer(_derived(_keep(standin, new_id(), dataset, body)), 201)


async def one_derived(request: Request, standin: StandIn) -> Response:
    """Read, replace or delete a derived column."""
    dataset = standin.dataset(request.path_params["dataset"])
    one = standin.objects.get("derived_column", request.path_params["id"])
    if one is None or one["dataset"] != dataset:
        raise ApiError(404, f"derived column {request.path_params['id']!r} not found")
    if request.method == "DELETE":
        if any(slo["sli"]["alias"] == one["alias"] for slo in standin.objects.all("slo")):
            raise ApiError(409, f"derived column {one['alias']!r} is the SLI of an SLO")
        standin.objects.delete("derived_column", one["id"])
        return gone()
    if request.method == "PUT":
        body = await read(request, DerivedColumnBody)
        standin.scope(dataset).check_expression(body.expression)
        one = _keep(standin, one["id"], dataset, body)
    return answer(_derived(one))


def _keep(standin: StandIn, key: str, dataset: str, body: DerivedColumnBody) -> Object:
    kept = {"id": key, "dataset": dataset, "at": standin.clock(), **body.model_dump()}
    return standin.objects.put("derived_column", kept)


def _derived(one: Object) -> dict[str, Any]:
    moment = iso(one["at"])
    shown = {name: one[name] for name in ("id", "alias", "expression", "description")}
    return shown | {"created_at": moment, "updated_at": moment}


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
    route("/1/auth", auth),
    route("/1/datasets", list_datasets),
    route("/1/datasets", create_dataset, "POST"),
    route("/1/datasets/{dataset}", get_dataset),
    route("/1/dataset_definitions/{dataset}", definitions),
    route("/1/columns/{dataset}", list_columns),
    route("/1/derived_columns/{dataset}", list_derived),
    route("/1/derived_columns/{dataset}", create_derived, "POST"),
    route("/1/derived_columns/{dataset}/{id}", one_derived),
    route("/1/derived_columns/{dataset}/{id}", one_derived, "PUT"),
    route("/1/derived_columns/{dataset}/{id}", one_derived, "DELETE"),
]
