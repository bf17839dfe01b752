"""Derived columns: calculated fields that stay."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb.burn import iso
from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.objects import Object, new_id
from sandbox.honeycomb.scope import derived_columns
from sandbox.honeycomb.standin import StandIn

from .endpoint import Routes, answer, found, gone, read, route


class DerivedColumnBody(BaseModel):
    """What a client sends to create or replace a derived column."""

    model_config = ConfigDict(extra="ignore")
    alias: str = Field(min_length=1, max_length=255)
    expression: str = Field(min_length=1, max_length=4095)
    description: str = Field(default="", max_length=255)


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


ROUTES: Routes = [
    route("/1/derived_columns/{dataset}", list_derived),
    route("/1/derived_columns/{dataset}", create_derived, "POST"),
    route("/1/derived_columns/{dataset}/{id}", one_derived),
    route("/1/derived_columns/{dataset}/{id}", one_derived, "PUT"),
    route("/1/derived_columns/{dataset}/{id}", one_derived, "DELETE"),
]
