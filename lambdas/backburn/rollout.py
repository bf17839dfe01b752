"""Whether a change is live: `pulumi up` returns minutes before new tasks serve."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from .workload import Model

State = Literal["settled", "moving", "not_deployed", "stuck"]

# DescribeServiceDeployments (API_ServiceDeployment): what cannot change any more.
REVERSED = frozenset({"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"}) | {
    "ROLLBACK_FAILED",
    "STOP_REQUESTED",
    "STOPPED",
}


class Deployment(Model):
    """One service deployment: ECS's own record of one rollout."""

    status: str
    task_definition: str = Field(description="ARN of its target service revision")
    started: AwareDatetime | None = None
    finished: AwareDatetime | None = None
    reason: str = ""


class Primary(Model):
    """The service as it is: its primary deployment, and how many others there are."""

    task_definition: str
    rollout: str = Field(description="rolloutState: COMPLETED, IN_PROGRESS, FAILED")
    desired: int
    running: int
    others: int


class Look(Model):
    """What ECS says of a service at one moment."""

    primary: Primary | None
    deployments: tuple[Deployment, ...] = Field(description="newest first")


class Rollout(Model):
    """The judgement of one look."""

    state: State
    reason: str
    settled_at: AwareDatetime | None = None


def judge(
    look: Look, task_definition: str, started: AwareDatetime, now: AwareDatetime, limit: int
) -> Rollout:
    """Whether the service runs `task_definition` and nothing else, `limit` seconds at most."""
    ours = next((d for d in look.deployments if d.task_definition == task_definition), None)
    if ours is not None and ours.status in REVERSED:
        return _not_deployed(ours)
    if ours is not None and ours.status == "SUCCESSFUL" and ours.finished is not None:
        waits = _waits(look.primary, task_definition)
        if not waits:
            return Rollout(
                state="settled",
                reason=f"the service runs {_short(task_definition)} and nothing else",
                settled_at=ours.finished,
            )
    else:
        waits = f"the deployment is {ours.status}" if ours else "no deployment of it yet"
    age = int((now - started).total_seconds())
    if age > limit:
        return Rollout(state="stuck", reason=f"after {age} seconds still: {waits}")
    return Rollout(state="moving", reason=waits)


def _not_deployed(deployment: Deployment) -> Rollout:
    why = f": {deployment.reason}" if deployment.reason else ""
    return Rollout(
        state="not_deployed", reason=f"ECS took it back ({deployment.status}){why}"[:400]
    )


def _waits(primary: Primary | None, task_definition: str) -> str:
    """What is still missing of a finished rollout; empty if nothing is."""
    if primary is None:
        return "the service has no primary deployment"
    missing = {
        f"the service runs {_short(primary.task_definition)}": (
            primary.task_definition != task_definition
        ),
        f"the primary deployment is {primary.rollout}": primary.rollout != "COMPLETED",
        f"{primary.others} older deployments still have tasks": primary.others > 0,
        # 0 of 0 tasks would look complete.
        "the service wants no task at all": primary.desired < 1,
        f"{primary.running} of {primary.desired} tasks run": primary.running < primary.desired,
    }
    return next((said for said, holds in missing.items() if holds), "")


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
