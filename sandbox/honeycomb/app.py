"""The ASGI application of a stand-in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .routes import (
    burn_alerts,
    columns,
    deliveries,
    derived_columns,
    events,
    ingest,
    markers,
    pages,
    queries,
    recipients,
    slos,
)
from .standin import StandIn


def create_app(standin: StandIn, *, watch: bool = True) -> ASGIApp:
    """The application; `watch` runs the evaluation of burn alerts beside it."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(standin.watch()) if watch else None
        yield
        if watching:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        await standin.close()

    parts = (
        *(ingest, events, queries, columns, derived_columns),
        *(slos, burn_alerts, recipients, markers),
        *(pages, deliveries),
    )
    app = Starlette(routes=[r for part in parts for r in part.ROUTES], lifespan=lifespan)
    app.state.standin = standin
    return _announce(app) if standin.relaxed else app


def _announce(app: ASGIApp) -> ASGIApp:
    # Every answer says that a limit is lifted, so that nobody takes this for the real thing.
    async def announced(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-sandbox-relaxed", b"burn-alert-windows"),
                ]
            await send(message)

        await app(scope, receive, sent)

    return announced
