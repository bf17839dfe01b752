"""The scheduler's next step, as a function of what is there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cloud.rollout import (
    Decision,
    Service,
    Task,
    decide,
    failure_threshold,
    steady,
)


def tasks(**counts: int) -> list[Task]:
    """Tasks by deployment and state, e.g. new_healthy=2."""
    return [
        Task(f"{kind}-{n}", kind.split("_")[0], "healthy" in kind, "stopping" in kind)
        for kind, count in counts.items()
        for n in range(count)
    ]


def test_new_tasks_start_beside_the_old_ones() -> None:
    """At 100/200 percent a rollover first starts all new tasks and stops nothing."""
    assert decide(Service(2, "new"), tasks(old_healthy=2)) == Decision(2, ())


def test_old_tasks_stop_as_new_ones_become_healthy() -> None:
    """One healthy new task frees one old one."""
    there = tasks(old_healthy=2, new_healthy=1, new_starting=1)
    assert decide(Service(2, "new"), there) == Decision(0, ("old_healthy-0",))


def test_without_room_old_tasks_make_it() -> None:
    """At 50/100 percent old tasks stop first, down to the floor."""
    service = Service(2, "new", minimum_percent=50, maximum_percent=100)
    assert decide(service, tasks(old_healthy=2)) == Decision(0, ("old_healthy-0",))
    assert decide(service, tasks(old_healthy=1)) == Decision(1, ())


def test_broken_old_tasks_stop_at_once() -> None:
    """An old task that never was healthy holds nothing up."""
    there = tasks(old_starting=1, older_healthy=1)
    assert decide(Service(1, "new"), there) == Decision(0, ("old_starting-0",))


def test_a_failed_deployment_starts_nothing_and_keeps_what_serves() -> None:
    """Once the circuit breaker gave up, healthy old tasks stay."""
    there = tasks(old_healthy=1, new_healthy=1)
    assert decide(Service(2, "new", failed=True), there) == Decision(0, ())


def test_surplus_tasks_stop() -> None:
    """Scaling down stops tasks of the primary, unhealthy ones first."""
    there = tasks(new_healthy=2, new_starting=1)
    assert decide(Service(1, "new"), there).stop == ("new_starting-0", "new_healthy-0")


def test_steady_is_healthy_and_alone() -> None:
    """A draining old task keeps a rollout open."""
    service = Service(1, "new")
    assert steady(service, tasks(new_healthy=1))
    assert not steady(service, tasks(new_healthy=1, old_stopping=1))
    assert not steady(service, tasks(new_starting=1))


@pytest.mark.parametrize(("desired", "threshold"), [(1, 3), (8, 4), (1000, 200)])
def test_the_circuit_breaker_has_bounds(desired: int, threshold: int) -> None:
    """Half the desired count, at least 3, at most 200."""
    assert failure_threshold(desired) == threshold


counts = st.integers(0, 6)


@given(st.integers(0, 6), counts, counts, counts, counts)
def test_no_step_goes_below_the_floor(
    desired: int, old_healthy: int, old_starting: int, new_healthy: int, new_starting: int
) -> None:
    """Whatever is there, a step keeps enough healthy tasks and stays under the ceiling."""
    there = tasks(
        old_healthy=old_healthy,
        old_starting=old_starting,
        new_healthy=new_healthy,
        new_starting=new_starting,
    )
    decision = decide(Service(desired, "new"), there)
    left = [task for task in there if task.id not in decision.stop]
    before = sum(task.healthy for task in there)
    assert sum(task.healthy for task in left) >= min(desired, before)
    assert len(left) + decision.start <= max(2 * desired, len(there))
