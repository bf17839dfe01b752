"""Follows one ECS service: has the processes running that the scheduler wants."""

# ruff: noqa: ASYNC110 - the end of a process is no event to wait for

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx

from .balancer import Balancer
from .environment import environment
from .images import Images, NoImageError
from .metadata import Metadata
from .quota import Quota
from .task import Limits, Task
from .usage import Usage

_POLL = 0.25  # seconds between reports to the scheduler
_PUBLISH = 5.0  # seconds between metrics


@dataclass(frozen=True)
class Followed:
    """Which service, and what it runs with here."""

    endpoint: str
    cluster: str
    service: str
    images: Images
    logs: Path
    health: str
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def aws(self, service: str) -> Any:
        """A client of the local AWS."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


class Runner:
    """The data plane of one service."""

    def __init__(self, followed: Followed, balancer: Balancer, quota: Quota) -> None:
        self._followed, self._balancer, self._quota = followed, balancer, quota
        self._metadata = Metadata()
        self._tasks: dict[str, Task] = {}
        self._watchers: set[asyncio.Task[None]] = set()

    async def follow(self) -> None:
        """Report and act until cancelled."""
        f = self._followed
        url = f"{f.endpoint}/_sandbox/ecs/{f.cluster}/{f.service}"
        usage = Usage(await asyncio.to_thread(f.aws, "cloudwatch"), f.cluster, f.service)
        publishing = asyncio.create_task(self._publish(usage))
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            try:
                while True:
                    await self._step(url, client)
                    await asyncio.sleep(_POLL)
            finally:
                publishing.cancel()

    async def close(self, within: float) -> None:
        """End every task; what still runs after that many seconds is killed."""
        for watcher in self._watchers:
            watcher.cancel()
        running = [task for task in self._tasks.values() if task.status != "STOPPED"]
        for task in running:
            task.signal(15)
        await asyncio.sleep(0)
        deadline = asyncio.get_running_loop().time() + within
        while asyncio.get_running_loop().time() < deadline and any(t.alive() for t in running):
            await asyncio.sleep(0.05)
        for task in running:
            task.end()
        self._metadata.close()
        self._quota.close()

    async def _step(self, url: str, client: httpx.AsyncClient) -> None:
        report = {"tasks": {arn: task.report() for arn, task in self._tasks.items()}}
        try:
            answer = (await client.post(url, json=report)).raise_for_status().json()
        except httpx.HTTPError:
            return  # the scheduler is away for a moment: what runs goes on running
        told = {arn for arn, state in report["tasks"].items() if state["status"] == "STOPPED"}
        for arn in told:
            self._metadata.forget(arn)
            del self._tasks[arn]
        wanted = {task["arn"]: task for task in answer["tasks"]}
        for arn, entry in wanted.items():
            if arn not in self._tasks and arn not in told and entry["desired"] == "RUNNING":
                grace = float(answer["grace"])
                task = Task(
                    arn, entry["definition"], self._followed.health, self._followed.limits, grace
                )
                self._tasks[arn] = task
                self._watch(self._run(task, client))
        for arn, task in self._tasks.items():
            if arn not in wanted or wanted[arn]["desired"] == "STOPPED":
                self._watch(task.stop(self._balancer))

    def _watch(self, work: Any) -> None:
        watcher = asyncio.ensure_future(work)
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)

    async def _run(self, task: Task, client: httpx.AsyncClient) -> None:
        f = self._followed
        container = task.definition["containerDefinitions"][0]
        try:
            image = f.images.find(container["image"])
            env = await asyncio.to_thread(environment, container, image, self._outside(task), f.aws)
            if task.status == "STOPPED":  # it was told to while its secrets were read
                return
            command = [*container.get("entryPoint", ()), *container.get("command", ())]
            fence = self._quota.fence(task.name, task.units)
            log = f.logs / f"{task.name}.log"
            task.start(command or image.command, env, image.cwd, fence, log)
        except NoImageError as error:
            task.fail(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this task's failure
            task.fail(f"ResourceInitializationError: {error}")
        else:
            await task.serve(self._balancer, client)

    def _outside(self, task: Task) -> dict[str, str]:
        f = self._followed
        metadata = self._metadata.tell(task.arn, f.service, f.cluster, task.definition)
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "ECS_CONTAINER_METADATA_URI_V4": metadata,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            **f.env,
        }

    async def _publish(self, usage: Usage) -> None:
        while True:
            await asyncio.sleep(_PUBLISH)
            try:
                await asyncio.to_thread(usage.publish, list(self._tasks.values()))
            except Exception as error:  # noqa: BLE001 - a missed metric must not end the tasks
                print(f"metrics were not published: {error}", flush=True)
