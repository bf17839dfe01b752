"""AwaitRollout: whether the change is live, and since when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backburn import wiring
from backburn.errors import BuildFault
from backburn.ports import Artifacts, Incidents, Rollouts
from backburn.rollout import judge
from backburn.update import Update
from backburn.workload import Workload


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The state; the workflow comes back while the rollout is moving."""
    workload = wiring.workload(event["workload"])
    return await_rollout(
        event, workload, wiring.artifacts(), wiring.incidents(), wiring.rollouts(), wiring.now()
    )


def await_rollout(
    event: dict[str, Any],
    workload: Workload,
    artifacts: Artifacts,
    incidents: Incidents,
    rollouts: Rollouts,
    now: datetime,
) -> dict[str, Any]:
    """One look at the service, judged against what was applied."""
    update = Update.model_validate_json(artifacts.read(event["update"]))
    if not update.task_definition or update.ended is None:
        raise BuildFault(f"{event['update']} does not say which task definition was applied")
    rollout = judge(
        rollouts.look(workload.ecs.cluster, workload.ecs.service),
        update.task_definition,
        started=update.ended,
        now=now,
        limit=workload.verification.rollout_limit,
    )
    if rollout.state != "moving":
        incidents.note(event["incident"], now, "AwaitRollout", rollout.reason)
    settled = rollout.settled_at.isoformat() if rollout.settled_at else None
    return {"rollout": rollout.state, "settled_at": settled, "reason": rollout.reason}
