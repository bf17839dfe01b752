"""How a part of the sandbox serves: loopback only, `ready <url>` when it does, ends on SIGTERM."""

from __future__ import annotations

import socket

import uvicorn
from starlette.types import ASGIApp

STOP_SECONDS = 3


class _Announced(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"ready http://{self.config.host}:{self.config.port}", flush=True)


def serve(application: ASGIApp, port: int) -> None:
    """Serve on 127.0.0.1 until told to stop."""
    _Announced(
        uvicorn.Config(
            application,
            host="127.0.0.1",
            port=port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    ).run()
