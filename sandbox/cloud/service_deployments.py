"""Service deployments and revisions: ECS's own record of every rollout of a service.

ministack 1.5.33 answers all three calls with empty lists. The records live inside the service's
own record, under keys that ministack keeps to itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

Record = dict[str, Any]

_REVISED = (
    "taskDefinition",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "loadBalancers",
    "serviceRegistries",
    "networkConfiguration",
)
_UNFINISHED = ("PENDING", "IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
_BRIEF = (
    "serviceDeploymentArn",
    "serviceArn",
    "clusterArn",
    "createdAt",
    "startedAt",
    "finishedAt",
    "status",
    "statusReason",
)
_PAGE = 20  # ECS's default


def begin(service: Record, deployment: str, threshold: int, now: float) -> None:
    """A new rollout of the service as it is now; one still under way is stopped by it."""
    if (current := latest(service)) and current["status"] in _UNFINISHED:
        reason = "The service deployment has stopped because a new deployment has started."
        _end(current, "STOPPED", reason, now)
    source = service.get("_serves")  # the revision of the last rollout that succeeded
    revision = _revision(service, now)
    service.setdefault("_revisions", []).append(revision)
    service.setdefault("_rollouts", []).append(
        {
            "serviceDeploymentArn": _arn(service, "service-deployment", uuid.uuid4().hex[:21]),
            "serviceArn": service["serviceArn"],
            "clusterArn": service["clusterArn"],
            "createdAt": now,
            "updatedAt": now,
            "sourceServiceRevisions": [_tasks_of(source)] if source else [],
            "targetServiceRevision": _tasks_of(revision["serviceRevisionArn"]),
            "status": "PENDING",
            "deploymentConfiguration": service["deploymentConfiguration"],
            "deploymentCircuitBreaker": {
                "status": "MONITORING" if _breaker(service).get("enable") else "DISABLED",
                "failureCount": 0,
                "threshold": threshold,
            },
            "_deployment": deployment,
        }
    )


def latest(service: Record) -> Record | None:
    """The newest rollout."""
    rollouts: list[Record] = service.get("_rollouts") or []
    return rollouts[-1] if rollouts else None


def under_way(service: Record, now: float) -> None:
    """The first task was taken up."""
    if (rollout := latest(service)) and rollout["status"] == "PENDING":
        rollout.update(status="IN_PROGRESS", startedAt=now, updatedAt=now)


def count(service: Record, deployments: Iterable[Record], failures: int, now: float) -> None:
    """Say how many tasks of the new and the old revision run."""
    if (rollout := latest(service)) is None or rollout["status"] not in _UNFINISHED:
        return
    target, others = rollout["targetServiceRevision"], rollout["sourceServiceRevisions"]
    for deployment in deployments:
        summary = target if deployment["id"] == rollout["_deployment"] else next(iter(others), {})
        summary.update(
            requestedTaskCount=deployment["desiredCount"],
            runningTaskCount=deployment["runningCount"],
            pendingTaskCount=deployment["pendingCount"],
        )
    if rollout["deploymentCircuitBreaker"]["status"] != "TRIGGERED":
        rollout["deploymentCircuitBreaker"]["failureCount"] = failures
    rollout["updatedAt"] = now


def finish(service: Record, now: float) -> None:
    """The service is steady: on the new revision, or on the one it was rolled back to."""
    if (rollout := latest(service)) is None:
        return
    breaker = rollout["deploymentCircuitBreaker"]
    if rollout["status"] == "ROLLBACK_IN_PROGRESS":
        _end(rollout, "ROLLBACK_SUCCESSFUL", rollout["rollback"]["reason"], now)
    elif rollout["status"] in _UNFINISHED:
        if breaker["status"] == "MONITORING":
            breaker["status"] = "MONITORING_COMPLETE"
        service["_serves"] = rollout["targetServiceRevision"]["arn"]
        _end(rollout, "SUCCESSFUL", None, now)


def give_up(service: Record, reason: str, roll_back: bool, now: float) -> None:
    """The circuit breaker was triggered."""
    if (rollout := latest(service)) is None:
        return
    rollout["deploymentCircuitBreaker"]["status"] = "TRIGGERED"
    if not roll_back:
        _end(rollout, "STOPPED", reason, now)
        return
    rollout.update(
        status="ROLLBACK_IN_PROGRESS",
        statusReason=reason,
        updatedAt=now,
        rollback={
            "reason": reason,
            "startedAt": now,
            "serviceRevisionArn": service["_serves"],
        },
    )


def listed(service: Record, wanted: Mapping[str, Any]) -> Record:
    """ListServiceDeployments, newest first, a page at a time."""
    statuses = wanted.get("status") or ()
    created = wanted.get("createdAt") or {}
    after, before = created.get("after", 0), created.get("before", float("inf"))
    found = [
        {key: r[key] for key in _BRIEF if key in r}
        | {"targetServiceRevisionArn": r["targetServiceRevision"]["arn"]}
        for r in reversed(service.get("_rollouts") or [])
        if (not statuses or r["status"] in statuses) and after <= r["createdAt"] <= before
    ]
    start = int(wanted.get("nextToken") or 0)
    end = start + int(wanted.get("maxResults") or _PAGE)
    more = {"nextToken": str(end)} if end < len(found) else {}
    return {"serviceDeployments": found[start:end], **more}


def _revision(service: Record, now: float) -> Record:
    number = str(uuid.uuid4().int)[:19]  # ECS numbers its revisions with 19 digits
    return {
        "serviceRevisionArn": _arn(service, "service-revision", number),
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "createdAt": now,
        "guardDutyEnabled": False,
        **{key: service[key] for key in _REVISED if service.get(key)},
    }


def _arn(service: Record, kind: str, tail: str) -> str:
    return f"{service['serviceArn'].replace(':service/', f':{kind}/')}/{tail}"


def _tasks_of(revision: str) -> Record:
    return {
        "arn": revision,
        "requestedTaskCount": 0,
        "runningTaskCount": 0,
        "pendingTaskCount": 0,
    }


def _breaker(service: Record) -> Record:
    breaker: Record = service["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
    return breaker


def _end(rollout: Record, status: str, reason: str | None, now: float) -> None:
    rollout.update(status=status, updatedAt=now, finishedAt=now)
    if status == "STOPPED":
        rollout["stoppedAt"] = now
    if reason:
        rollout["statusReason"] = reason
