"""ECS that rolls over real tasks: the scheduler; `sandbox.fargate` runs what it asks for.

What ministack 1.5.33 does otherwise: without Docker a task is RUNNING and a deployment COMPLETED
at once, whatever its image; service deployments and revisions are empty lists; any pair of
Fargate CPU and memory is taken. Here a task waits in PROVISIONING until a runner takes it, and
the scheduler goes one step further with each report of the runner. Without a runner nothing
ever completes, as in a cluster without capacity.
"""

# ruff: noqa: SLF001 - ministack's private names are what is replaced here

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import ecs

from . import fargate_sizes, scheduler, service_deployments
from .patching import around, require
from .responses import Response, answer, refusal
from .service_deployments import Record


def install() -> None:
    """Replace the scheduler and what it leaves empty."""
    require(ecs, "_ACTION_MAP", "_reconcile_service_tasks", "_run_task", "_stop_task", "_tasks")
    require(ecs, "_services", "_task_defs", "_resolve_td_key", "_refresh_service_state")
    require(ecs, "_recount_cluster", "_resolve_service_ref", "_resolve_cluster_name", "_sanitize")
    require(ecs, "_resolve_task", "_register_task_definition", "_delete_service")
    ecs._reconcile_service_tasks = scheduler.reconcile
    ecs._stop_task = around(ecs._stop_task, stop_task)
    ecs._register_task_definition = around(ecs._register_task_definition, register)
    ecs._delete_service = around(ecs._delete_service, delete_service)
    ecs._ACTION_MAP |= {
        "StopTask": ecs._stop_task,
        "RegisterTaskDefinition": ecs._register_task_definition,
        "DeleteService": ecs._delete_service,
        "ListServiceDeployments": list_deployments,
        "DescribeServiceDeployments": describe_deployments,
        "DescribeServiceRevisions": describe_revisions,
    }


def register(original: Callable[..., Any], data: Record) -> Response:
    """RegisterTaskDefinition: Fargate takes certain pairs of CPU and memory only."""
    if "FARGATE" in (data.get("requiresCompatibilities") or ()):
        problem = fargate_sizes.problem(data.get("cpu"), data.get("memory"))
        if problem:
            return refusal("ClientException", problem)
    response: Response = original(data)
    return response


def stop_task(original: Callable[..., Any], data: Record) -> Response:
    """StopTask: the runner drains and ends the process; one nobody took yet is just gone."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    task = ecs._resolve_task(data.get("task", ""), cluster)
    if not task or not (task.get("group") or "").startswith("service:"):
        response: Response = original(data)
        return response
    with scheduler.lock:
        scheduler.stop(task, data.get("reason", "Task stopped by user"), "UserInitiated")
    return answer({"task": ecs._sanitize(task)})


def delete_service(original: Callable[..., Any], data: Record) -> Response:
    """DeleteService: INACTIVE only when the last task has ended, DRAINING until then."""
    response: Response = original(data)
    body = json.loads(response[2])
    if "service" not in body:
        return response
    arn = body["service"]["serviceArn"]
    with scheduler.lock:
        service = next(s for s in ecs._services.values() if s["serviceArn"] == arn)
        if scheduler.tasks_of(service):
            service["status"] = "DRAINING"
        return answer({"service": ecs._sanitize(service)})


def list_deployments(data: Mapping[str, Any]) -> Response:
    """ListServiceDeployments."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    name = ecs._resolve_service_ref(data.get("service", ""))
    service = ecs._services.get(f"{cluster}/{name[0]}") if name else None
    if service is None:
        return refusal("ServiceNotFoundException", "Service not found.")
    return answer(service_deployments.listed(service, data))


def describe_deployments(data: Mapping[str, Any]) -> Response:
    """DescribeServiceDeployments."""
    wanted = data.get("serviceDeploymentArns") or []
    return _found("serviceDeployments", "_rollouts", "serviceDeploymentArn", wanted)


def describe_revisions(data: Mapping[str, Any]) -> Response:
    """DescribeServiceRevisions."""
    wanted = data.get("serviceRevisionArns") or []
    return _found("serviceRevisions", "_revisions", "serviceRevisionArn", wanted)


def _found(name: str, kept: str, key: str, wanted: list[str]) -> Response:
    records = {r[key]: r for s in ecs._services.values() for r in s.get(kept, ())}
    return answer(
        {
            name: [ecs._sanitize(records[arn]) for arn in wanted if arn in records],
            "failures": [{"arn": a, "reason": "MISSING"} for a in wanted if a not in records],
        }
    )
