"""AwaitRollout: whether the change is live, and since when."""

from __future__ import annotations

from typing import Any

from backburn import wiring
from backburn.errors import BuildFault
from backburn.rollout import judge
from backburn.update import Update


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """One look at the service; the workflow comes back while it is moving."""
    workload = wiring.workload(event["workload"])
    update = Update.model_validate_json(wiring.artifacts().read(event["update"]))
    if not update.task_definition or update.ended is None:
        raise BuildFault(f"{event['update']} does not say which task definition was applied")
    rollout = judge(
        wiring.rollouts().look(workload.ecs.cluster, workload.ecs.service),
        update.task_definition,
        started=update.ended,
        now=wiring.now(),
        limit=workload.verification.rollout_limit,
    )
    if rollout.state != "moving":
        wiring.incidents().note(event["incident"], wiring.now(), "AwaitRollout", rollout.reason)
    settled = rollout.settled_at.isoformat() if rollout.settled_at else None
    return {"rollout": rollout.state, "settled_at": settled, "reason": rollout.reason}
