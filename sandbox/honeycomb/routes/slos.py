"""SLOs."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb import slo as slos
from sandbox.honeycomb.burn import is_triggered, iso
from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.objects import Object, new_id
from sandbox.honeycomb.scope import EVERYTHING, derived_columns, slug
from sandbox.honeycomb.standin import StandIn

from .endpoint import Routes, answer, found, gone, read, route

DETAIL_SECONDS = 300.0  # Honeycomb's own cache of `?detailed` values


async def list_slos(request: Request, standin: StandIn) -> Response:
    """The SLOs of a dataset, all for `__all__`."""
    dataset = standin.dataset(request.path_params["dataset"])
    kept = standin.objects.all("slo")
    return answer([_slo(s) for s in kept if dataset in (EVERYTHING, *s["dataset_slugs"])])


async def create_slo(request: Request, standin: StandIn) -> Response:
    """A new SLO."""
    return answer(_slo(keep_slo(standin, new_id(), await _slo_body(request, standin))), 201)


async def one_slo(request: Request, standin: StandIn) -> Response:
    """Read, replace whole, or delete an SLO."""
    slo = _find_slo(request, standin)
    if request.method == "DELETE":
        standin.objects.delete("slo", slo["id"])
        for alert in standin.objects.all("burn_alert"):
            if alert["slo"]["id"] == slo["id"]:
                standin.objects.delete("burn_alert", alert["id"])
        return gone()
    if request.method == "PUT":
        slo = keep_slo(standin, slo["id"], await _slo_body(request, standin))
    shown = _slo(slo)
    if "detailed" in request.query_params and request.query_params["detailed"] != "false":
        shown |= _detail(standin, slo)
    return answer(shown)


def keep_slo(standin: StandIn, key: str, body: dict[str, Any]) -> Object:
    """Write an SLO; its SLI must exist on its dataset or in the environment."""
    names = body["dataset_slugs"]
    scopes = [EVERYTHING] if len(names) > 1 else [names[0], EVERYTHING]
    known = {o["alias"] for scope in scopes for o in derived_columns(standin.objects, scope)}
    if body["sli"]["alias"] not in known:
        raise ApiError(422, f"sli.alias: no derived column {body['sli']['alias']!r}")
    before = standin.objects.get("slo", key)
    created = before["created"] if before else standin.clock()
    return standin.objects.put(
        "slo", {"id": key, "created": created, "updated": standin.clock(), **body}
    )


async def _slo_body(request: Request, standin: StandIn) -> dict[str, Any]:
    dataset = standin.dataset(request.path_params["dataset"])
    body = (await read(request, slos.SloBody)).model_dump()
    if dataset != EVERYTHING:
        return body | {"dataset_slugs": [dataset]}
    if not body["dataset_slugs"]:
        raise ApiError(422, "dataset_slugs: name 1 to 10 datasets")
    return body | {"dataset_slugs": [standin.dataset(name) for name in body["dataset_slugs"]]}


def _find_slo(request: Request, standin: StandIn) -> Object:
    key, dataset = request.path_params["id"], standin.dataset(request.path_params["dataset"])
    slo: Object = found(standin.objects.get("slo", key), f"SLO {key!r}")
    if dataset not in (EVERYTHING, *slo["dataset_slugs"]):
        raise ApiError(404, f"SLO {key!r} not found in dataset {dataset!r}")
    return slo


def _slo(slo: Object) -> dict[str, Any]:
    fields = ("id", "name", "description", "sli", "time_period_days", "target_per_million")
    shown = {name: slo[name] for name in fields}
    return shown | {
        "dataset_slugs": [slug(name) for name in slo["dataset_slugs"]],
        "reset_at": None,
        "created_at": iso(slo["created"]),
        "updated_at": iso(slo["updated"]),
    }


def _detail(standin: StandIn, slo: Object) -> dict[str, Any]:
    cached = standin.details.get(slo["id"])
    now = standin.clock()
    if cached and now - cached[0] < DETAIL_SECONDS:
        return cached[1]
    shown = live_detail(standin, slo)
    standin.details[slo["id"]] = (now, shown)
    return shown


def live_detail(standin: StandIn, slo: Object) -> dict[str, Any]:
    """Budget, compliance, burn rate and status as of now."""
    windows = [slo["time_period_days"] * slos.DAY, slos.BURN_RATE_SECONDS]
    period, recent = slos.counts(standin.events, standin.objects, slo, standin.clock(), windows)
    alerts = [a for a in standin.objects.all("burn_alert") if a["slo"]["id"] == slo["id"]]
    triggered = any(is_triggered(standin.objects, alert) for alert in alerts)
    return slos.detail(period, recent, slo) | {"status": slos.status(period, alerts, triggered)}


ROUTES: Routes = [
    route("/1/slos/{dataset}", list_slos),
    route("/1/slos/{dataset}", create_slo, "POST"),
    route("/1/slos/{dataset}/{id}", one_slo),
    route("/1/slos/{dataset}/{id}", one_slo, "PUT"),
    route("/1/slos/{dataset}/{id}", one_slo, "DELETE"),
]
