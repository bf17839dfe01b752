"""AwaitRollout: one look at what was applied."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backburn.errors import BuildFault
from backburn.rollout import Deployment, Look, Primary
from backburn.steps.await_rollout import await_rollout
from backburn.update import Update
from tests.fakes.engine import ARN
from tests.fakes.rollouts import FakeRollouts
from tests.fakes.shop import NOW, ORDER, Shop

DONE = Look(
    primary=Primary(
        task_definition=ARN.format(2), rollout="COMPLETED", desired=2, running=2, others=0
    ),
    deployments=(
        Deployment(
            status="SUCCESSFUL",
            task_definition=ARN.format(2),
            finished=NOW + timedelta(seconds=90),
        ),
    ),
)
EVENT = {"incident": "shop-1", "attempt": 1, "workload": "shop", "change": "apply"} | {
    "update": ORDER.key("update")
}


def looked(world: Shop, look: Look, after: int = 100) -> dict[str, str | None]:
    """The state's result."""
    now = world.now + timedelta(seconds=after)
    rollouts = FakeRollouts(look)
    found = await_rollout(EVENT, world.workload, world.artifacts, world.incidents, rollouts, now)
    assert rollouts.asked == [("shop", "shop")]
    return found


def test_it_says_since_when_the_change_is_live() -> None:
    """The start of "after", and a line of the timeline."""
    world = Shop().approved()
    world.apply()
    assert looked(world, DONE) == {
        "rollout": "settled",
        "settled_at": "2026-11-24T12:01:30+00:00",
        "reason": "the service runs shop:2 and nothing else",
    }
    assert world.notes[-1] == "the service runs shop:2 and nothing else"


def test_moving_is_no_news() -> None:
    """The workflow comes back; the timeline stays short."""
    world = Shop().approved()
    world.apply()
    notes = world.notes
    assert looked(world, Look(primary=None, deployments=()))["rollout"] == "moving"
    assert looked(world, Look(primary=None, deployments=()), 9999)["rollout"] == "stuck"
    assert len(world.notes) == len(notes) + 1


def test_an_update_that_does_not_say_what_it_applied_is_a_fault() -> None:
    """There is nothing to wait for."""
    world = Shop()
    update = Update(kind="apply", effects="e", result="started", started=NOW)
    world.artifacts.write(ORDER.key("update"), update.model_dump_json().encode())
    with pytest.raises(BuildFault, match="does not say which task definition"):
        looked(world, DONE)
