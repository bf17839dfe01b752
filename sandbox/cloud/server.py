"""The server itself: patched ministack behind one loopback port."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app
from ministack.core import lambda_runtime

from . import (
    build_task,
    cloudformation,
    codebuild,
    ecs,
    eventbridge,
    executions,
    lambdas,
    sns,
    step_functions,
    task_tokens,
)
from .control import with_control
from .settings import Settings

_GRACE = 1.0  # seconds for requests in flight when it is told to end


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then end every build and function it started."""
    codebuild.install(settings)
    build_task.install()
    task_tokens.install()
    step_functions.install()
    executions.install()
    lambdas.install(settings)
    sns.install(settings)
    cloudformation.install()
    eventbridge.install(settings)
    ecs.install()
    asyncio.run(_serve(settings))
    codebuild.stop_all()
    lambda_runtime.reset()
    # Threads that wait on task tokens or in Wait states would hold the interpreter up.
    os._exit(0)


async def _serve(settings: Settings) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    config = Config()
    config.bind = [f"127.0.0.1:{settings.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = _GRACE
    config.shutdown_timeout = _GRACE
    config.loglevel = "WARNING"
    server = asyncio.create_task(serve(with_control(app.app), config, shutdown_trigger=ended.wait))
    while not server.done() and not _answers(settings.port):  # noqa: ASYNC110 - hypercorn tells nobody
        await asyncio.sleep(0.05)
    if not server.done():
        print(f"ready {settings.endpoint}", flush=True)
    await server


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
