"""The Fargate runner: `python -m sandbox.fargate --endpoint URL --cluster C --service S ...`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from . import images, quota
from .balancer import Balancer
from .runner import Followed, Runner
from .task import Limits

_END = 3.0  # seconds between SIGTERM and SIGKILL for tasks when the runner itself is ended


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to us: tasks are to be ended as well."""
        yield


def main(arguments: list[str]) -> None:
    """Run the service's tasks until told to end."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.fargate", description=__doc__)
    parser.add_argument("--endpoint", required=True, help="the local AWS")
    parser.add_argument("--cluster", required=True)
    parser.add_argument("--service", required=True)
    parser.add_argument("--port", type=int, required=True, help="of the load balancer")
    parser.add_argument(
        "--images",
        required=True,
        help='JSON or @file: {"name*": {"cwd": "...", "env": {...}, "command": [...]}}',
    )
    parser.add_argument("--logs", type=Path, required=True, help="a file per task goes here")
    parser.add_argument("--health-path", default="/api/health")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--start-limit", type=float, default=60, help="seconds to become healthy")
    parser.add_argument("--drain-limit", type=float, default=60, help="deregistration delay, s")
    parser.add_argument("--quota", default="", choices=["", "v1", "v2", "duty-cycle"])
    given = parser.parse_args(arguments)
    given.logs.mkdir(parents=True, exist_ok=True)
    followed = Followed(
        endpoint=given.endpoint,
        cluster=given.cluster,
        service=given.service,
        images=images.read(given.images),
        logs=given.logs.resolve(),
        health=given.health_path,
        env=dict(pair.split("=", 1) for pair in given.env),
        limits=Limits(start=given.start_limit, drain=given.drain_limit),
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(followed, given.port, quota.choose(given.quota)))


async def _serve(followed: Followed, port: int, held_by: quota.Quota) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    balancer = Balancer()
    runner = Runner(followed, balancer, held_by)
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        balancer, log_level="warning", access_log=False, timeout_graceful_shutdown=1, lifespan="off"
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    following = asyncio.create_task(runner.follow())
    stopped = asyncio.create_task(ended.wait())
    print(f"CPU units are held by: {held_by.name}", flush=True)
    print(f"ready http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await asyncio.wait({serving, following, stopped}, return_when=asyncio.FIRST_COMPLETED)
    following.cancel()
    server.should_exit = True
    await asyncio.gather(runner.close(_END), serving, return_exceptions=True)
    await balancer.close()
    if following.done() and not following.cancelled() and following.exception():
        raise SystemExit(f"the runner ended: {following.exception()!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
