"""The log of webhook deliveries."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.honeycomb.standin import StandIn
from sandbox.honeycomb.words import moment

from .endpoint import Routes
from .page import missing, page


async def deliveries(request: Request) -> Response:
    """The delivery log, newest first."""
    standin: StandIn = request.app.state.standin
    log = [d | {"when": moment(d["at"])} for d in standin.objects.all("delivery")[:-201:-1]]
    return page(standin, "deliveries", deliveries=log)


async def deliveries_json(request: Request) -> Response:
    """The same as JSON."""
    standin: StandIn = request.app.state.standin
    return JSONResponse(standin.objects.all("delivery")[::-1])


async def redeliver(request: Request) -> Response:
    """Send a delivery again under its own id: receivers must expect that."""
    standin: StandIn = request.app.state.standin
    kept = standin.objects.get("delivery", request.path_params["id"])
    if kept is None:
        return missing(standin, f"delivery {request.path_params['id']}")
    return JSONResponse(await standin.deliveries.send(kept | {"outcome": "pending"}, ()))


ROUTES: Routes = [
    Route("/deliveries", deliveries),
    Route("/_sandbox/deliveries", deliveries_json),
    Route("/_sandbox/deliveries/{id}/redeliver", redeliver, methods=["POST"]),
]
