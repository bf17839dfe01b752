"""RollBack: the mirror of what was approved, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from backburn import bundle
from backburn.errors import BuildFault, Drifted, HalfApplied, Refused
from backburn.patch import Files
from backburn.update import Update
from tests.fakes.engine import ARN, SERVICE, TASK
from tests.fakes.program import CONFIG, MAIN, shop
from tests.fakes.shop import BUNDLE, ORDER, Shop


def applied() -> Shop:
    """A shop whose change was applied."""
    world = Shop().approved()
    world.apply()
    return world


def test_it_restores_program_and_world() -> None:
    """Byte for byte, under the same approval; the old size is a new revision."""
    world = applied()
    answer = world.roll_back()
    assert (answer["OUTCOME"], answer["UPDATE"]) == ("rolled_back", ORDER.key("rollback"))
    assert world.files == shop()
    assert (world.engine.task["cpu"], world.engine.serving) == ("512", 3)
    update = Update.model_validate_json(world.artifacts.read(ORDER.key("rollback")))
    assert (update.kind, update.task_definition) == ("rollback", ARN.format(3))


def test_a_second_run_finds_what_was_done() -> None:
    """Never a second rollback."""
    world = applied()
    first = world.roll_back()
    assert world.roll_back() == first
    assert world.engine.calls.count("up") == 2


def test_a_circuit_breaker_that_took_the_service_back_is_no_hindrance() -> None:
    """ECS runs the old revision already; the way back is still the approved one."""
    world = applied()
    world.engine.serving = 1
    assert world.roll_back()["OUTCOME"] == "rolled_back"
    assert world.engine.serving == 3


def test_law_2_more_than_the_mirror_is_refused() -> None:
    """Somebody changed the count in AWS since."""
    world = applied()
    world.engine.desired = 5
    with pytest.raises(Refused, match=r"desiredCount 5 -> 2.*approved was"):
        world.roll_back()
    assert world.engine.calls.count("up") == 1


def test_law_2_less_than_the_mirror_is_refused() -> None:
    """Somebody rolled back by hand: nothing would happen."""
    world = applied()
    world.engine.task |= {"cpu": "512", "memory": "1024"}
    with pytest.raises(Refused, match="rolling back would do nothing"):
        world.roll_back()


@pytest.mark.parametrize(
    "files",
    [
        {"Pulumi.dev.yaml": f"{CONFIG}# new\n"},
        {"__main__.py": f"# new\n{MAIN}"},
        {"jobs.py": ""},
    ],
)
def test_a_program_that_moved_on_is_not_restored(files: dict[str, str]) -> None:
    """The work of others is not undone."""
    world = applied()
    patched = {"__main__.py": world.files["__main__.py"].decode()}
    world.artifacts.write(BUNDLE, bundle.pack(shop(**(patched | files))))
    with pytest.raises(Drifted, match="program"):
        world.roll_back()


def test_law_2_it_needs_the_approval_too() -> None:
    """The same MAC, by the same rules."""
    world = applied()
    decision = world.approvals.decision("shop-1")
    assert decision is not None
    world.decide(decision.model_copy(update={"mac": "00"}))
    with pytest.raises(Refused, match="MAC is wrong"):
        world.roll_back()


def test_law_10_the_kill_switch_stops_it() -> None:
    """Stop means stop."""
    world = applied()
    world.brakes.why = "stopped by ops"
    with pytest.raises(Refused, match="stopped by ops"):
        world.roll_back()


def test_pending_operations_come_first() -> None:
    """As before an apply."""
    world = applied()
    world.engine.pending = [{"type": "updating", "resource": {"urn": SERVICE}}]
    with pytest.raises(Refused, match="updating Service"):
        world.roll_back()


def test_a_rollback_that_fails_says_what_it_did() -> None:
    """A fault: an operator's turn."""
    world = applied()
    world.engine.fails_at = SERVICE
    with pytest.raises(BuildFault, match="failed: Service shop-service"):
        world.roll_back()
    assert b'cpu="1024"' in world.files["__main__.py"]


def half_rolled_back() -> Shop:
    """A shop whose rollback failed at its second step."""
    world = applied()
    world.engine.fails_at = SERVICE
    with pytest.raises(BuildFault):
        world.roll_back()
    world.engine.fails_at = ""
    return world


def test_a_half_rolled_back_update_is_not_repeated() -> None:
    """The redriven build says what is done and what is open, even with the kill switch on."""
    world = half_rolled_back()
    world.brakes.why = "stopped by ops"
    said = r"half-way: rolled back: replace TaskDefinition.*still open: update Service"
    with pytest.raises(HalfApplied, match=said):
        world.roll_back()
    assert world.engine.calls.count("up") == 2


def test_a_half_rolled_back_program_that_moved_on_is_half_rolled_back() -> None:
    """Not merely drift: a part of the change is taken back."""
    world = half_rolled_back()
    world.artifacts.write(BUNDLE, bundle.pack(shop(**{"jobs.py": ""})))
    with pytest.raises(HalfApplied, match=r"rolled back: replace TaskDefinition.*not the patched"):
        world.roll_back()


def test_a_rollback_that_did_nothing_is_tried_again() -> None:
    """The cloud refused the first step."""
    world = applied()
    world.engine.fails_at = TASK
    with pytest.raises(BuildFault):
        world.roll_back()
    world.engine.fails_at = ""
    assert world.roll_back()["OUTCOME"] == "rolled_back"


def test_a_build_killed_after_the_rollback_is_found_rolled_back() -> None:
    """Nothing was recorded; the state tells, and the program follows."""
    world = applied()
    world.engine.breaks_off = True
    with pytest.raises(KeyboardInterrupt):
        world.roll_back()
    world.engine.breaks_off = False
    assert world.roll_back()["OUTCOME"] == "rolled_back"
    update = Update.model_validate_json(world.artifacts.read(ORDER.key("rollback")))
    assert (update.result, update.task_definition) == ("succeeded", ARN.format(3))
    assert world.files == shop()
    assert world.engine.calls.count("up") == 2


def test_an_expired_approval_still_rolls_back() -> None:
    """Verify may take longer than the approval was open."""
    world = applied()
    world.now = world.now.replace(day=25)
    assert world.roll_back()["OUTCOME"] == "rolled_back"


def test_a_program_replaced_meanwhile_is_told() -> None:
    """It is not overwritten."""
    world = applied()
    up = world.engine.up

    def up_and_upload(*arguments: Any) -> Any:
        world.artifacts.write(BUNDLE, bundle.pack({"x": b""}))
        return up(*arguments)

    world.engine.up = up_and_upload  # type: ignore[method-assign]
    assert "replaced meanwhile" in world.roll_back()["REASON"]


def test_law_10_a_switch_that_is_thrown_during_the_preview_stops_the_rollback() -> None:
    """It is read last of all, right before the engine writes."""
    world = applied()
    plan = world.engine.plan

    def stopped_meanwhile(files: Files) -> Any:
        world.brakes.why = "stopped by ops"
        return plan(files)

    world.engine.plan = stopped_meanwhile  # type: ignore[method-assign]
    with pytest.raises(Refused, match="stopped by ops"):
        world.roll_back()
    assert world.engine.calls.count("up") == 1
