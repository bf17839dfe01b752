"""When a change is live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backburn.rollout import Deployment, Look, Primary, Rollout, judge

OURS, OLD = (f"arn:aws:ecs:us-east-1:0:task-definition/shop:{n}" for n in (8, 7))
STARTED = datetime(2026, 11, 24, 12, tzinfo=UTC)
FINISHED = STARTED + timedelta(seconds=150)
DONE = Deployment(status="SUCCESSFUL", task_definition=OURS, finished=FINISHED)
SERVES = Primary(task_definition=OURS, rollout="COMPLETED", desired=2, running=2, others=0)


def look(*deployments: Deployment, primary: Primary | None = SERVES, after: int = 200) -> Rollout:
    """The judgement of one look."""
    now = STARTED + timedelta(seconds=after)
    found = Look(primary=primary, deployments=deployments)
    return judge(found, OURS, STARTED, now, limit=1800)


def test_settled_is_the_moment_ecs_finished() -> None:
    """Its own record says when; that is the start of "after"."""
    rollout = look(DONE)
    assert (rollout.state, rollout.settled_at) == ("settled", FINISHED)


@pytest.mark.parametrize(
    ("primary", "reason"),
    [
        ({"task_definition": OLD}, "runs shop:7"),
        ({"rollout": "IN_PROGRESS"}, "IN_PROGRESS"),
        ({"others": 1}, "1 older deployments still have tasks"),
        ({"running": 1}, "1 of 2 tasks run"),
        ({"desired": 0, "running": 0}, "wants no task"),
    ],
)
def test_law_6_a_deployment_that_succeeded_is_not_yet_settled(
    primary: dict[str, Any], reason: str
) -> None:
    """The waiter's false successes: 0 of 0, an older deployment, another revision."""
    rollout = look(DONE, primary=SERVES.model_copy(update=primary))
    assert rollout.state == "moving"
    assert reason in rollout.reason


def test_no_deployment_of_ours_is_no_success() -> None:
    """Silence is moving, until it is stuck."""
    older = Deployment(status="SUCCESSFUL", task_definition=OLD, finished=STARTED)
    assert look(older).state == look().state == "moving"
    assert look(DONE, primary=None).reason == "the service has no primary deployment"
    assert look(after=1801).state == "stuck"
    assert "still: no deployment of it yet" in look(after=1801).reason


@pytest.mark.parametrize(
    "status", ["ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "STOPPED"]
)
def test_a_circuit_breaker_that_reversed_it_is_not_deployed(status: str) -> None:
    """The state of Pulumi says it worked; ECS says why it did not."""
    reversed_ = Deployment(
        status=status, task_definition=OURS, finished=FINISHED, reason="tasks failed to start"
    )
    rollout = look(reversed_, primary=SERVES.model_copy(update={"task_definition": OLD}))
    assert rollout.state == "not_deployed"
    assert rollout.reason == f"ECS took it back ({status}): tasks failed to start"


def test_the_newest_deployment_of_ours_counts() -> None:
    """A second try of the same revision is judged by itself."""
    first = Deployment(status="STOPPED", task_definition=OURS)
    assert look(DONE, first).state == "settled"
    moving = Deployment(status="IN_PROGRESS", task_definition=OURS)
    assert look(moving, first).reason == "the deployment is IN_PROGRESS"
