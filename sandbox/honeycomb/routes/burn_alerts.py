"""Burn alerts."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb import slo as slos
from sandbox.honeycomb.burn import MIN_WINDOW_MINUTES, AlertBody, is_triggered, iso
from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.objects import Object, new_id
from sandbox.honeycomb.standin import StandIn

from .endpoint import Routes, answer, found, gone, read, route


async def list_alerts(request: Request, standin: StandIn) -> Response:
    """The burn alerts of the SLO of `?slo_id=`, which is required."""
    key = request.query_params.get("slo_id")
    if not key:
        raise ApiError(422, "the query parameter slo_id is required")
    found(standin.objects.get("slo", key), f"SLO {key!r}")
    kept = standin.objects.all("burn_alert")
    shown = [_alert(standin, alert) for alert in kept if alert["slo"]["id"] == key]
    for alert in shown:
        del alert["recipients"]  # only the alert itself names them
    return answer(shown)


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
        "triggered": is_triggered(standin.objects, alert),
        "created_at": iso(alert["created"]),
        "updated_at": iso(alert["updated"]),
    }


ROUTES: Routes = [
    route("/1/burn_alerts/{dataset}", list_alerts),
    route("/1/burn_alerts/{dataset}", create_alert, "POST"),
    route("/1/burn_alerts/{dataset}/{id}", one_alert),
    route("/1/burn_alerts/{dataset}/{id}", one_alert, "PUT"),
    route("/1/burn_alerts/{dataset}/{id}", one_alert, "DELETE"),
]
