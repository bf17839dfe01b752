"""What a person sees: the page behind a result, a trace, an SLO; and the delivery log."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.honeycomb.standin import StandIn
from .endpoint import Routes


async def deliveries_json(request: Request) -> Response:
    """The delivery log, newest first."""
    standin: StandIn = request.app.state.standin
    return JSONResponse(standin.objects.all("delivery")[::-1])


ROUTES: Routes = [Route("/_sandbox/deliveries", deliveries_json)]
