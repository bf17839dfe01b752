"""The door between the scheduler and its runner: `/_sandbox/ecs/<cluster>/<service>`.

The runner posts what became of its tasks and is answered with what is wanted next. This is no
AWS API; nothing but `sandbox.fargate` calls it.
"""

# ruff: noqa: SLF001 - ministack's private names are read here

from __future__ import annotations

import json
import time
from typing import Any

from ministack.core.concurrency import run_reentrant
from ministack.services import ecs

from . import scheduler
from .service_deployments import Record

PREFIX = "/_sandbox/ecs/"


def with_control(app: Any) -> Any:
    """The ASGI app with that door in front."""

    async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        cluster, service = scope["path"].removeprefix(PREFIX).split("/")
        answer = await run_reentrant(report, cluster, service, json.loads(body))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return asgi


def report(cluster: str, name: str, seen: dict[str, Any]) -> dict[str, Any]:
    """Take in what the runner saw of its tasks; answer with the tasks it should have."""
    with scheduler.lock:
        service = ecs._services.get(f"{cluster}/{name}")
        if service is None:
            return {"tasks": []}
        for arn, state in seen["tasks"].items():
            if (task := ecs._tasks.get(arn)) is not None:
                _take_in(service, task, state)
        scheduler.step(cluster, service)
        tasks = scheduler.tasks_of(service)
        for task in tasks:
            task["_taken"] = True
        return {
            "grace": service.get("healthCheckGracePeriodSeconds") or 0,
            "tasks": [
                {
                    "arn": task["taskArn"],
                    "desired": task["desiredStatus"],
                    "definition": ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])],
                }
                for task in tasks
            ],
        }


def _take_in(service: Record, task: Record, state: Record) -> None:
    status, health = state["status"], state["health"]
    if task["lastStatus"] == "STOPPED":
        return
    now = time.time()
    if status == "RUNNING" and not task.get("startedAt"):
        task["startedAt"] = now
    if health == "HEALTHY" and task["healthStatus"] != "HEALTHY":
        scheduler.task_healthy(service)
    task.update(lastStatus=status, healthStatus=health)
    for container in task["containers"]:
        container["lastStatus"] = "PENDING" if status == "PENDING" else status
        container["healthStatus"] = health
    if status == "STOPPED":
        asked = task["desiredStatus"] == "STOPPED"
        task.update(desiredStatus="STOPPED", stoppedAt=now)
        for container in task["containers"]:
            container["exitCode"] = state.get("exit_code")
        if not asked:
            task.update(stoppedReason=state["reason"], stopCode=state["code"])
            scheduler.task_failed(service, task)
