"""ProposePatch: one small edit, or why there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backburn.diagnosis import Cause
from backburn.errors import Abstained, Braked, Observed, ProgramMissing, StackBusy
from backburn.patch import Patch, apply
from backburn.workload import Freeze
from tests.fakes.program import shop
from tests.fakes.shop import BUNDLE, NOW, ORDER, Shop


def test_it_writes_change_and_patch() -> None:
    """Two numbers of the program, and where they are kept."""
    world = Shop()
    assert world.propose() == {
        "patch": ORDER.key("patch"),
        "setting": "ecs.task_size",
        "resource": "shop-task",
        "from": "cpu 512, memory 1024",
        "to": "cpu 1024, memory 2048",
    }
    patch = Patch.model_validate_json(world.artifacts.read(ORDER.key("patch")))
    assert b'cpu="1024"' in apply(patch, shop())["__main__.py"]
    change = json.loads(world.artifacts.read(ORDER.key("change")))
    assert change["why"] == "own_cpu"


def test_a_second_run_of_the_state_is_the_same() -> None:
    """Idempotent: one claim, one count, one patch."""
    world = Shop()
    assert world.propose() == world.propose()
    assert world.incidents.count_change("shop", "2026-11-24", 2, "another")
    assert not world.incidents.count_change("shop", "2026-11-24", 2, "a third")


def test_law_4_a_cause_no_setting_cures_is_handed_over() -> None:
    """A slow dependency is not cured by a larger task."""
    with pytest.raises(Abstained, match="no setting that shop may change cures"):
        Shop().propose(Cause.DEPENDENCY_LATENCY)


def test_the_workloads_limit_is_an_answer() -> None:
    """The next size is above what the user allows."""
    with pytest.raises(Abstained, match="above the workload's limit"):
        Shop(
            shop(
                **{
                    "__main__.py": shop()["__main__.py"]
                    .decode()
                    .replace("512", "1024")
                    .replace('memory="1024"', 'memory="2048"')
                }
            )
        ).propose()


def test_mode_observe_stops_before_anything_is_claimed() -> None:
    """What would have been proposed, and no trace."""
    world = Shop(mode="observe")
    world.brakes.why = "stopped"
    with pytest.raises(Observed, match="cpu 512 -> 1024, memory 1024 -> 2048"):
        world.propose()
    assert world.incidents.count_change("shop", "2026-11-24", 1, "another")
    assert ORDER.key("patch") not in world.artifacts.objects


def _switch(world: Shop) -> None:
    world.brakes.why = "the kill switch cannot be read"


def _frozen(world: Shop) -> None:
    freeze = Freeze(start=NOW, end=NOW.replace(hour=13), why="sale")
    limits = world.workload.limits.model_copy(update={"freeze": (freeze,)})
    world.workload = world.workload.model_copy(update={"limits": limits})


def _capped(world: Shop) -> None:
    for n in range(world.workload.limits.changes_per_day):
        world.incidents.count_change("shop", "2026-11-24", 99, f"other-{n}")


@pytest.mark.parametrize(
    ("brake", "said"),
    [(_switch, "cannot be read"), (_frozen, "sale"), (_capped, "may have 3 changes a day")],
)
def test_law_10_brakes_stop_a_proposal(brake: Any, said: str) -> None:
    """Kill switch, freeze window, changes a day: nothing is written."""
    world = Shop()
    brake(world)
    with pytest.raises(Braked, match=said):
        world.propose()
    assert ORDER.key("patch") not in world.artifacts.objects


def test_one_change_is_in_flight_on_a_stack() -> None:
    """The second incident says who is at it."""
    world = Shop()
    world.another_incident("shop-2")
    world.propose()
    with pytest.raises(StackBusy, match="shop-1 has a change in flight on shop/dev"):
        world.propose(incident="shop-2")


def test_a_program_that_is_not_there_is_a_fault() -> None:
    """Somebody must upload it."""
    world = Shop()
    del world.artifacts.objects[BUNDLE]
    with pytest.raises(ProgramMissing, match=r"no programs/shop\.zip"):
        world.propose()
