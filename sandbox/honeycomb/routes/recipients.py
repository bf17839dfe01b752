"""Recipients, and the Test button."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.honeycomb.burn import Firing, iso
from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.objects import Object, new_id
from sandbox.honeycomb.recipient import RecipientBody
from sandbox.honeycomb.standin import StandIn

from .endpoint import Routes, answer, found, gone, read, route


async def list_recipients(_request: Request, standin: StandIn) -> Response:
    """Every recipient of the team."""
    return answer([_recipient(one) for one in standin.objects.all("recipient")])


async def create_recipient(request: Request, standin: StandIn) -> Response:
    """A new recipient; 409 if one has the same name."""
    body = await read(request, RecipientBody)
    _refuse_twin(standin, body, "")
    return answer(_recipient(keep_recipient(standin, new_id(), body)), 201)


async def one_recipient(request: Request, standin: StandIn) -> Response:
    """Read, replace or delete a recipient; 409 while a burn alert needs it."""
    one = _find(request, standin)
    if request.method == "DELETE":
        for alert in standin.objects.all("burn_alert"):
            if any(reference["id"] == one["id"] for reference in alert["recipients"]):
                raise ApiError(409, f"recipient is used by burn alert {alert['id']}")
        standin.objects.delete("recipient", one["id"])
        return gone()
    if request.method == "PUT":
        body = await read(request, RecipientBody)
        _refuse_twin(standin, body, one["id"])
        one = keep_recipient(standin, one["id"], body)
    return answer(_recipient(one))


async def test_recipient(request: Request, standin: StandIn) -> Response:
    """What the Test button does: one delivery that says it is a test, and no retry."""
    one = _find(request, standin)
    alerts = [
        alert
        for alert in standin.objects.all("burn_alert")
        if any(reference["id"] == one["id"] for reference in alert["recipients"])
    ]
    alert = alerts[0] if alerts else _example_alert()
    slo = standin.objects.get("slo", alert["slo"]["id"]) or _example_slo()
    mine = [r for r in alert["recipients"] if r["id"] == one["id"]] or [{"id": one["id"]}]
    decrease = float(alert["budget_rate_decrease_threshold_per_million"])
    firing = Firing(
        alert | {"recipients": mine},
        slo,
        str(uuid.uuid4()),
        "TRIGGERED",
        decrease,
        standin.clock(),
        test=True,
    )
    (prepared,) = standin.deliveries.prepare(firing)
    return answer(await standin.deliveries.send(prepared, ()))


def keep_recipient(standin: StandIn, key: str, body: RecipientBody) -> Object:
    """Write a recipient."""
    before = standin.objects.get("recipient", key)
    created = before["created"] if before else standin.clock()
    details = body.details.model_dump(exclude_none=True)
    kept = {"id": key, "type": body.type, "details": details}
    return standin.objects.put("recipient", kept | {"created": created, "updated": standin.clock()})


def _refuse_twin(standin: StandIn, body: RecipientBody, key: str) -> None:
    for other in standin.objects.all("recipient"):
        if other["id"] != key and other["details"]["webhook_name"] == body.details.webhook_name:
            raise ApiError(409, f"a webhook named {body.details.webhook_name!r} exists already")


def _find(request: Request, standin: StandIn) -> Object:
    key = request.path_params["id"]
    one: Object = found(standin.objects.get("recipient", key), f"recipient {key!r}")
    return one


def _recipient(one: Object) -> dict[str, Any]:
    shown = {name: one[name] for name in ("id", "type", "details")}
    return shown | {"created_at": iso(one["created"]), "updated_at": iso(one["updated"])}


def _example_alert() -> Object:
    return {
        "id": "abcdefghijk",
        "description": "",
        "budget_rate_window_minutes": 60,
        "budget_rate_decrease_threshold_per_million": 10_000,
        "slo": {"id": ""},
        "recipients": [],
    }


def _example_slo() -> Object:
    return {"id": "2LBq9LckbcA", "name": "Test SLO", "dataset_slugs": ["test-dataset"]}


ROUTES: Routes = [
    route("/1/recipients", list_recipients),
    route("/1/recipients", create_recipient, "POST"),
    route("/1/recipients/{id}", one_recipient),
    route("/1/recipients/{id}", one_recipient, "PUT"),
    route("/1/recipients/{id}", one_recipient, "DELETE"),
    route("/1/recipients/{id}/test", test_recipient, "POST"),
]
