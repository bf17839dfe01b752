"""What an interrupted run did is found out, and never done twice (law 2)."""

from __future__ import annotations

import pytest

from backburn import applying, checkpoint, patch, proposal, redrive
from backburn.errors import HalfApplied
from backburn.patch import Patch
from backburn.update import Update
from tests.fakes.engine import ARN, SERVICE
from tests.fakes.shop import ORDER, Shop


def began(world: Shop) -> Update:
    """An update of which only the start is on record."""
    effects = applying.approved(ORDER, world.workload, world.site).effects
    digest = proposal.effects_digest(effects)
    return Update(kind="apply", effects=digest, result="started", started=world.now)


def found(world: Shop, update: Update) -> Update | None:
    """What the next build makes of it."""
    effects = applying.approved(ORDER, world.workload, world.site).effects
    edits = Patch.model_validate_json(world.artifacts.read(ORDER.key("patch")))
    files = patch.apply(edits, world.files)
    state = checkpoint.read(world.engine.export(files))
    resource = effects.change.resource
    return redrive.finish(ORDER, world.site, update, files, effects.steps, state, resource)


def carried_out(world: Shop) -> None:
    """The engine does its work, and nobody records it."""
    edits = Patch.model_validate_json(world.artifacts.read(ORDER.key("patch")))
    files = patch.apply(edits, world.files)
    world.engine.up(files, world.engine.plan(files)[1], lambda _pid: None)


def test_what_did_nothing_may_be_done() -> None:
    """All of the approved steps are still to come."""
    world = Shop().approved()
    assert found(world, began(world)) is None


def test_what_did_it_all_is_recorded_as_done() -> None:
    """With the revision that serves, which AwaitRollout asks for."""
    world = Shop().approved()
    carried_out(world)
    update = found(world, began(world))
    assert update is not None
    assert (update.result, update.task_definition) == ("succeeded", ARN.format(2))
    assert Update.model_validate_json(world.artifacts.read(ORDER.key("update"))) == update
    assert "found done after its build was interrupted" in world.notes[-1]


def test_a_part_is_never_finished_unasked() -> None:
    """What is open is named."""
    world = Shop().approved()
    world.engine.fails_at = SERVICE
    carried_out(world)
    with pytest.raises(HalfApplied, match="still open: update Service shop-service"):
        found(world, began(world))


def test_a_step_in_the_middle_is_a_part() -> None:
    """A pending operation may have happened or not: nobody knows."""
    world = Shop().approved()
    world.engine.pending = [{"type": "updating", "resource": {"urn": SERVICE}}]
    with pytest.raises(HalfApplied, match="still open: updating Service"):
        found(world, began(world))


def test_what_cannot_be_foreseen_is_a_part() -> None:
    """The program broke meanwhile."""
    world = Shop().approved()
    update = began(world)
    files = {"__main__.py": b"raise OSError\n"}
    state = checkpoint.read(world.engine.export(world.files))
    effects = applying.approved(ORDER, world.workload, world.site).effects
    with pytest.raises(HalfApplied, match="cannot be foreseen: the program does not run"):
        redrive.finish(
            ORDER, world.site, update, files, effects.steps, state, effects.change.resource
        )
