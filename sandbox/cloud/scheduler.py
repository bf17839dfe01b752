"""The scheduler of ECS services: one step at a time, with each request and each report.

Without a runner (`sandbox.fargate`) nothing ever completes, as in a cluster without capacity.
"""

# ruff: noqa: SLF001 - ministack's private names are what is read and written here

from __future__ import annotations

import json
import threading
import time

from ministack.services import ecs

from . import rollout, service_deployments
from .service_deployments import Record

_OVER = ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")
lock = threading.RLock()  # every request runs in a thread of its own


def reconcile(cluster: str, key: str) -> None:
    """A service was created or updated: begin its rollout and take the first step."""
    with lock:
        service = ecs._services.get(key)
        if not service or service["status"] != "ACTIVE":
            return
        primary = _primary(service)
        known = [r["_deployment"] for r in service.get("_rollouts", ())]
        if primary["id"] not in known:
            now = time.time()
            reason = f"ECS deployment {primary['id']} in progress."
            primary.update(rolloutState="IN_PROGRESS", rolloutStateReason=reason)
            service["_failures"], service["_not_before"] = 0, 0.0
            threshold = rollout.failure_threshold(service["desiredCount"])
            service_deployments.begin(service, primary["id"], threshold, now)
        step(cluster, service)


def step(cluster: str, service: Record) -> None:
    """Go one step towards what the service wants, and say how far it is."""
    now = time.time()
    if service["status"] == "ACTIVE":
        primary = _primary(service)
        wanted = _wanted(service, primary)
        decision = rollout.decide(wanted, _as_seen(service))
        for identifier in decision.stop:
            stop(ecs._tasks[identifier], f"Scaling activity of {primary['id']}", "ServiceScheduler")
        if now >= service.get("_not_before", 0.0):
            for _ in range(decision.start):
                _start(cluster, service, primary)
    elif service["status"] == "DRAINING" and not tasks_of(service):
        service["status"] = "INACTIVE"
    for deployment in service["deployments"]:
        if deployment["status"] != "PRIMARY":
            deployment["desiredCount"] = sum(
                task.deployment == deployment["id"] and not task.stopping
                for task in _as_seen(service)
            )
    ecs._refresh_service_state(cluster, f"service:{service['serviceName']}")
    ecs._recount_cluster(cluster)
    service_deployments.count(service, service["deployments"], service.get("_failures", 0), now)
    if service["status"] == "ACTIVE":
        _conclude(service, now)


def tasks_of(service: Record) -> list[Record]:
    """The service's tasks that have not ended."""
    group = f"service:{service['serviceName']}"
    return [
        task
        for task in ecs._tasks.values()
        if task.get("group") == group
        and task["clusterArn"] == service["clusterArn"]
        and task["lastStatus"] != "STOPPED"
    ]


def task_failed(service: Record, task: Record) -> None:
    """A task ended by itself or never became healthy: count it, and give up at the threshold."""
    now = time.time()
    service["_failures"] = service.get("_failures", 0) + 1
    service["_not_before"] = now + rollout.restart_delay(service["_failures"])
    deployments = {d["id"]: d for d in service["deployments"]}
    if deployment := deployments.get(task.get("_deployment_id")):
        deployment["failedTasks"] += 1
    primary = _primary(service)
    breaker = service["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
    rolling = primary["rolloutState"] == "IN_PROGRESS" and not service.get("_rolling_back")
    threshold = rollout.failure_threshold(service["desiredCount"])
    if rolling and breaker.get("enable") and service["_failures"] >= threshold:
        _give_up(service, primary, bool(breaker.get("rollback")), now)


def task_healthy(service: Record) -> None:
    """A healthy task resets the count, as the circuit breaker does by default."""
    service["_failures"], service["_not_before"] = 0, 0.0


def _give_up(service: Record, primary: Record, roll_back: bool, now: float) -> None:
    previous = next((d for d in service["deployments"] if d["id"] == service.get("_last")), None)
    reason = "ECS deployment circuit breaker: tasks failed to start."
    primary.update(rolloutState="FAILED", rolloutStateReason=reason)
    possible = roll_back and previous is not None
    service_deployments.count(service, [], service["_failures"], now)
    service_deployments.give_up(service, reason, possible, now)
    if not possible or previous is None:
        return
    primary["status"], primary["desiredCount"] = "ACTIVE", 0
    previous.update(
        status="PRIMARY",
        desiredCount=service["desiredCount"],
        rolloutState="IN_PROGRESS",
        rolloutStateReason=(
            f"ECS deployment circuit breaker: rolling back to deploymentId {previous['id']}."
        ),
    )
    service["deployments"].sort(key=lambda d: d["status"] != "PRIMARY")
    service["taskDefinition"] = previous["taskDefinition"]
    service.update(_rolling_back=True, _failures=0, _not_before=0.0)


def _conclude(service: Record, now: float) -> None:
    primary = _primary(service)
    if primary["rolloutState"] != "IN_PROGRESS":
        return
    if any(t["_taken"] for t in tasks_of(service) if t["_deployment_id"] == primary["id"]):
        service_deployments.under_way(service, now)
    if not rollout.steady(_wanted(service, primary), _as_seen(service)):
        return
    reason = f"ECS deployment {primary['id']} completed."
    primary.update(rolloutState="COMPLETED", rolloutStateReason=reason, updatedAt=now)
    service["deployments"] = [primary]
    service["_last"], service["_rolling_back"] = primary["id"], False
    service_deployments.finish(service, now)
    message = f"(service {service['serviceName']}) has reached a steady state."
    service["events"].insert(0, {"id": primary["id"], "createdAt": now, "message": message})


def _wanted(service: Record, primary: Record) -> rollout.Service:
    configuration = service["deploymentConfiguration"]
    return rollout.Service(
        desired=service["desiredCount"],
        primary=primary["id"],
        minimum_percent=configuration.get("minimumHealthyPercent", 100),
        maximum_percent=configuration.get("maximumPercent", 200),
        failed=primary["rolloutState"] == "FAILED",
    )


def _as_seen(service: Record) -> list[rollout.Task]:
    return [
        rollout.Task(
            id=task["taskArn"],
            deployment=task["_deployment_id"],
            healthy=task["lastStatus"] == "RUNNING" and task["healthStatus"] == "HEALTHY",
            stopping=task["desiredStatus"] == "STOPPED" or task["lastStatus"] in _OVER,
        )
        for task in tasks_of(service)
    ]


def _start(cluster: str, service: Record, deployment: Record) -> None:
    request = {
        "cluster": cluster,
        "taskDefinition": deployment["taskDefinition"],
        "count": 1,
        "group": f"service:{service['serviceName']}",
        "startedBy": deployment["id"],
        "launchType": service.get("launchType"),
        "capacityProviderStrategy": service.get("capacityProviderStrategy"),
        "networkConfiguration": service.get("networkConfiguration", {}),
        "_deploymentId": deployment["id"],
    }
    answer = json.loads(ecs._run_task(request)[2])
    for started in answer.get("tasks", ()):
        task = ecs._tasks[started["taskArn"]]
        task.update(lastStatus="PROVISIONING", startedAt=None, _taken=False)
        for container in task["containers"]:
            container["lastStatus"] = "PENDING"


def stop(task: Record, reason: str, code: str) -> None:
    """Want a task stopped; one that no runner took up is gone at once."""
    if task["desiredStatus"] == "STOPPED":
        return
    now = time.time()
    task.update(desiredStatus="STOPPED", stoppedReason=reason, stopCode=code, stoppingAt=now)
    if not task.get("_taken"):
        task.update(lastStatus="STOPPED", stoppedAt=now)


def _primary(service: Record) -> Record:
    primary: Record = next(d for d in service["deployments"] if d["status"] == "PRIMARY")
    return primary
