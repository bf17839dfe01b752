"""One task: its process, from start over health to the end."""

# ruff: noqa: ASYNC110 - the end of a process is no event to wait for

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from .balancer import Balancer, Target
from .quota import Fence


@dataclass(frozen=True)
class Limits:
    """How long a task may take, in seconds, and how often it is looked at."""

    start: float = 60  # until it must be healthy, beyond the service's grace period
    drain: float = 60  # the target group's deregistration delay
    stop: float = 10  # between SIGTERM and SIGKILL
    first_probe: float = 0.25
    probe: float = 5
    answer: float = 10  # a starved task answers slowly, and is not dead for that
    misses: int = 3


class Task:
    """A process that serves HTTP on a port of its own."""

    def __init__(
        self, arn: str, definition: dict[str, Any], health: str, limits: Limits, grace: float
    ) -> None:
        self.arn, self.definition, self._limits = arn, definition, limits
        self.status, self.health = "PENDING", "UNKNOWN"
        self.reason, self.code = "", ""
        self.exit_code: int | None = None
        self.port = _free_port()
        self.fence: Fence | None = None
        self._target = Target(self.port)
        self._url = f"http://127.0.0.1:{self.port}{health}"
        self._process: subprocess.Popen[bytes] | None = None
        self._must_be_healthy = time.monotonic() + limits.start + grace
        self._stopping = False

    @property
    def name(self) -> str:
        """The task's id, the last part of its ARN."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def units(self) -> int:
        """CPU units of the task; 1,024 are one CPU."""
        return int(self.definition["cpu"])

    def fail(self, reason: str) -> None:
        """It could not be started."""
        self.status, self.reason, self.code = "STOPPED", reason, "TaskFailedToStart"

    def start(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path, fence: Fence, log: Path
    ) -> None:
        """Start the process inside its fence."""
        self.fence = fence
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                fence.inside(command),
                env={**env, "PORT": str(self.port)},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        fence.started(self._process.pid)
        self.status = "RUNNING"

    async def serve(self, balancer: Balancer, client: httpx.AsyncClient) -> None:
        """Probe it, route to it while it is healthy, and notice when it ends."""
        missed = 0
        while self.alive() and not self._stopping:
            healthy = await self._probe(client)
            if healthy:
                missed = 0
                if self.health != "HEALTHY":
                    self.health = "HEALTHY"
                    balancer.add(self._target)
            elif self.health == "HEALTHY":
                missed += 1
            hopeless = self.health == "UNKNOWN" and time.monotonic() > self._must_be_healthy
            if hopeless or missed >= self._limits.misses:
                self.health = "UNHEALTHY"
                self.reason, self.code = (
                    "Task failed ELB health checks",
                    "ServiceSchedulerInitiated",
                )
                break
            await self._pause()
        if not self._stopping:
            await self.stop(balancer)

    async def stop(self, balancer: Balancer) -> None:
        """Route nothing to it any more, let it finish what it is at, and end it."""
        if self._stopping:
            return
        self._stopping = True
        balancer.remove(self._target)
        deadline = time.monotonic() + self._limits.drain
        if self.alive():
            self.status = "DEACTIVATING"
        while self.alive() and self._target.in_flight and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        if self.alive():
            self.status = "STOPPING"
        self.signal(signal.SIGTERM)
        deadline = time.monotonic() + self._limits.stop
        while self.alive() and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        self.end()

    def end(self) -> None:
        """End the process and whatever it started, now."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self.exit_code = self._process.wait()
            if not self.reason:
                self.reason, self.code = (
                    "Essential container in task exited",
                    "EssentialContainerExited",
                )
        if self.fence is not None:
            self.fence.close()
        self.status = "STOPPED"

    def signal(self, number: int) -> None:
        """Tell the whole process group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
                if number != signal.SIGKILL:
                    os.killpg(self._process.pid, signal.SIGCONT)  # it may be stopped by its quota

    def memory(self) -> int:
        """Resident bytes of the process and everything it started."""
        total = 0
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._process.pid if self._process else -1)
            for process in [root, *root.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    total += process.memory_info().rss
        return total

    def report(self) -> dict[str, Any]:
        """What the scheduler is told about it."""
        return {
            "status": self.status,
            "health": self.health,
            "reason": self.reason,
            "code": self.code,
            "exit_code": self.exit_code,
        }

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    async def _probe(self, client: httpx.AsyncClient) -> bool:
        try:
            response = await client.get(self._url, timeout=self._limits.answer)
        except httpx.HTTPError:
            return False
        return response.is_success

    async def _pause(self) -> None:
        known = self.health == "HEALTHY"
        until = time.monotonic() + (self._limits.probe if known else self._limits.first_probe)
        while self.alive() and not self._stopping and time.monotonic() < until:
            await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
