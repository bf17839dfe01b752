"""SLOs and their burn alerts."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb import slo as slos
from sandbox.honeycomb.burn import MIN_WINDOW_MINUTES, AlertBody, iso
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
    triggered = any(is_triggered(standin, alert) for alert in alerts)
    return slos.detail(period, recent, slo) | {"status": slos.status(period, alerts, triggered)}


async def list_alerts(request: Request, standin: StandIn) -> Response:
    """The burn alerts of the SLO of `?slo_id=`, which is required."""
    key = request.query_params.get("slo_id")
    if not key:
        raise ApiError(422, "the query parameter slo_id is required")
    found(standin.objects.get("slo", key), f"SLO {key!r}")
    kept = standin.objects.all("burn_alert")
    return answer([_alert(standin, alert) for alert in kept if alert["slo"]["id"] == key])


async def create_alert(request: Request, standin: StandIn) -> Response:
    """A new burn alert."""
    standin.dataset(request.path_params["dataset"])
    body = await read(request, AlertBody)
    return answer(_alert(standin, keep_alert(standin, new_id(), body)), 201)


async def one_alert(request: Request, standin: StandIn) -> Response:
    """Read, replace or delete a burn alert."""
    standin.dataset(request.path_params["dataset"])
    key = request.path_params["id"]
    alert: Object = found(standin.objects.get("burn_alert", key), f"burn alert {key!r}")
    if request.method == "DELETE":
        standin.objects.delete("burn_alert", key)
        standin.objects.delete("alert_state", key)
        return gone()
    if request.method == "PUT":
        alert = keep_alert(standin, key, await read(request, AlertBody))
    return answer(_alert(standin, alert))


def keep_alert(standin: StandIn, key: str, body: AlertBody) -> Object:
    """Write a burn alert; its SLO and recipients must exist, its window be long enough."""
    slo = standin.objects.get("slo", body.slo.id)
    if slo is None:
        raise ApiError(422, f"slo.id: no SLO {body.slo.id!r}")
    window = body.budget_rate_window_minutes
    least = 1 if standin.relaxed else MIN_WINDOW_MINUTES
    most = slo["time_period_days"] * slos.DAY // 60
    if not least <= window <= most:
        raise ApiError(
            422, f"budget_rate_window_minutes: must be between {least} and {most}, not {window}"
        )
    for recipient in body.recipients:
        if standin.objects.get("recipient", recipient.id) is None:
            raise ApiError(422, f"recipients: no recipient {recipient.id!r}")
    before = standin.objects.get("burn_alert", key)
    created = before["created"] if before else standin.clock()
    kept = body.model_dump() | {"id": key, "created": created, "updated": standin.clock()}
    return standin.objects.put("burn_alert", kept)


def is_triggered(standin: StandIn, alert: Object) -> bool:
    """Whether the alert fires now."""
    state = standin.objects.get("alert_state", alert["id"])
    return bool(state and state["triggered"])


def _alert(standin: StandIn, alert: Object) -> dict[str, Any]:
    recipients = []
    for reference in alert["recipients"]:
        recipient = standin.objects.get("recipient", reference["id"])
        if recipient:
            target = recipient["details"]["webhook_name"]
            shown = {"id": reference["id"], "type": "webhook", "target": target}
            recipients.append(shown | ({"details": d} if (d := reference["details"]) else {}))
    fields = (
        "id",
        "alert_type",
        "description",
        "budget_rate_window_minutes",
        "budget_rate_decrease_threshold_per_million",
    )
    return {name: alert[name] for name in fields} | {
        "slo": {"id": alert["slo"]["id"]},
        "recipients": recipients,
        "triggered": is_triggered(standin, alert),
        "created_at": iso(alert["created"]),
        "updated_at": iso(alert["updated"]),
    }


ROUTES: Routes = [
    route("/1/slos/{dataset}", list_slos),
    route("/1/slos/{dataset}", create_slo, "POST"),
    route("/1/slos/{dataset}/{id}", one_slo),
    route("/1/slos/{dataset}/{id}", one_slo, "PUT"),
    route("/1/slos/{dataset}/{id}", one_slo, "DELETE"),
    route("/1/burn_alerts/{dataset}", list_alerts),
    route("/1/burn_alerts/{dataset}", create_alert, "POST"),
    route("/1/burn_alerts/{dataset}/{id}", one_alert),
    route("/1/burn_alerts/{dataset}/{id}", one_alert, "PUT"),
    route("/1/burn_alerts/{dataset}/{id}", one_alert, "DELETE"),
]
