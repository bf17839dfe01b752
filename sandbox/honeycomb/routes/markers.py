"""Markers."""

from __future__ import annotations

import secrets
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb.burn import iso
from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.objects import Object
from sandbox.honeycomb.standin import StandIn

from .endpoint import Routes, answer, read, route

MARKER_FIELDS = ("start_time", "end_time", "message", "type", "url")


class MarkerBody(BaseModel):
    """What a client sends to create or replace a marker; PUT erases what it leaves out."""

    model_config = ConfigDict(extra="ignore")
    start_time: int | None = Field(default=None, ge=0)
    end_time: int | None = Field(default=None, ge=0)
    message: str = ""
    type: str = ""
    url: str = ""


async def list_markers(request: Request, standin: StandIn) -> Response:
    """The markers of a dataset."""
    dataset = standin.dataset(request.path_params["dataset"])
    kept = standin.objects.all("marker")
    return answer([_marker(one) for one in kept if one["dataset"] == dataset])


async def create_marker(request: Request, standin: StandIn) -> Response:
    """A new marker; it starts now unless it says when."""
    dataset = standin.dataset(request.path_params["dataset"])
    body = await read(request, MarkerBody)
    return answer(_marker(_keep_marker(standin, secrets.token_hex(3), dataset, body)), 201)


async def one_marker(request: Request, standin: StandIn) -> Response:
    """Replace or delete a marker."""
    dataset = standin.dataset(request.path_params["dataset"])
    key = request.path_params["id"]
    one = standin.objects.get("marker", key)
    if one is None or one["dataset"] != dataset:
        raise ApiError(404, f"marker {key!r} not found")
    if request.method == "DELETE":
        standin.objects.delete("marker", key)
        return answer(_marker(one), 202)
    body = await read(request, MarkerBody)
    return answer(_marker(_keep_marker(standin, key, dataset, body)))


def _keep_marker(standin: StandIn, key: str, dataset: str, body: MarkerBody) -> Object:
    before = standin.objects.get("marker", key)
    fields = body.model_dump()
    fields["start_time"] = fields["start_time"] or int(standin.clock())
    created = before["created"] if before else standin.clock()
    kept = {"id": key, "dataset": dataset, "created": created, "updated": standin.clock()}
    return standin.objects.put("marker", kept | fields)


def _marker(one: Object) -> dict[str, Any]:
    shown = {name: one[name] for name in MARKER_FIELDS if one[name]}
    moments = {"created_at": iso(one["created"]), "updated_at": iso(one["updated"])}
    return {"id": one["id"]} | shown | moments | {"color": "#7B7B7B"}


ROUTES: Routes = [
    route("/1/markers/{dataset}", list_markers),
    route("/1/markers/{dataset}", create_marker, "POST"),
    route("/1/markers/{dataset}/{id}", one_marker, "PUT"),
    route("/1/markers/{dataset}/{id}", one_marker, "DELETE"),
]
