"""An approved plan is carried out once: checked before, recorded, compared after (law 2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backburn import applying, checkpoint, patch, proposal
from backburn.decision import Choice
from backburn.errors import BuildFault, Locked, Refused
from backburn.patch import Patch
from backburn.preview import canonical_plan
from backburn.proposal import Effects
from backburn.update import Holder, Update
from tests.fakes.engine import ARN, SERVICE
from tests.fakes.program import shop
from tests.fakes.shop import BUNDLE, ORDER, Shop

LOCK = Holder(build="deploy:1", host="then", pid=99)


def executed(world: Shop, effects: Effects) -> Update:
    """The plan of the patched program, carried out."""
    edits = Patch.model_validate_json(world.artifacts.read(ORDER.key("patch")))
    files = patch.apply(edits, world.files)
    state = checkpoint.read(world.engine.export(files))
    document, plan = world.engine.plan(files)
    steps = canonical_plan(document, state.providers).steps
    digest = proposal.effects_digest(effects)
    return applying.execute(ORDER, world.site, "apply", files, plan, steps, state, digest)


def effects_of(world: Shop) -> Effects:
    """What was approved."""
    return applying.approved(ORDER, world.workload, world.site).effects


def recorded(world: Shop) -> Update:
    """update.json."""
    return Update.model_validate_json(world.artifacts.read(ORDER.key("update")))


def test_the_approved_proposal_is_read_with_its_decision() -> None:
    """Bytes, decision and MAC are those of one click."""
    assert effects_of(Shop().approved()).incident == "shop-1"


def test_law_2_a_proposal_without_a_decision_is_refused() -> None:
    """Whatever woke the workflow."""
    world = Shop().approved()
    world.approvals._decisions.clear()
    with pytest.raises(Refused, match="nobody decided"):
        effects_of(world)


def test_law_2_bytes_that_are_no_proposal_are_refused() -> None:
    """Not even a blank may be added."""
    world = Shop().approved()
    key = ORDER.key("proposal")
    world.artifacts.write(key, world.artifacts.read(key) + b" ")
    with pytest.raises(Refused, match=r"proposal\.json is not what was proposed"):
        effects_of(world)


def test_law_5_a_decision_that_somebody_else_wrote_is_refused() -> None:
    """Only the approval route can make its MAC."""
    world = Shop().approved()
    decision = world.approvals.decision("shop-1")
    assert decision is not None
    world.decide(decision.model_copy(update={"mac": "00"}))
    with pytest.raises(Refused, match="not written by the approval route"):
        effects_of(world)


def test_law_5_a_rejection_applies_nothing() -> None:
    """Its MAC is right, and its word is no."""
    world = Shop().approved()
    world.approve(decision=Choice.REJECT)
    with pytest.raises(Refused, match="rejected"):
        effects_of(world)


def test_law_2_a_proposal_about_something_else_is_refused() -> None:
    """Of another workload under the same names."""
    world = Shop().approved()
    with pytest.raises(Refused, match="the proposal is about shop-1"):
        applying.approved(ORDER._replace(workload="other"), world.workload, world.site)


def test_an_approval_is_good_for_its_build_and_no_longer() -> None:
    """Until the expiry, and a while that a build may need to start."""
    world = Shop().approved()
    effects = effects_of(world)
    applying.require_in_time(effects, lambda: effects.expires + applying.GRACE)
    late = effects.expires + applying.GRACE + timedelta(seconds=1)
    with pytest.raises(Refused, match="the approval expired at 2026-11-24 13:00 UTC"):
        applying.require_in_time(effects, lambda: late)


def test_an_update_is_recorded_before_and_after() -> None:
    """With whoever holds the lock, so that a later build knows its own."""
    world = Shop().approved()
    update = executed(world, effects_of(world))
    assert update == recorded(world)
    assert (update.result, update.task_definition) == ("succeeded", ARN.format(2))
    assert update.holder == Holder(build="deploy:2", host="here", pid=4711)
    assert world.notes[-1] == update.words()


def test_a_build_that_is_killed_leaves_that_it_began() -> None:
    """What is not recorded as ended is not known to have done nothing."""
    world = Shop().approved()
    world.engine.breaks_off = True
    with pytest.raises(KeyboardInterrupt):
        executed(world, effects_of(world))
    assert (recorded(world).result, recorded(world).did_nothing) == ("started", False)


def test_a_part_is_a_fault_that_says_which() -> None:
    """Nothing half-applied goes unsaid."""
    world = Shop().approved()
    world.engine.fails_at = SERVICE
    with pytest.raises(BuildFault, match=r"applied: replace TaskDefinition.*failed: Service"):
        executed(world, effects_of(world))
    assert recorded(world).failed == (SERVICE,)


def test_only_an_update_of_the_same_effects_is_an_earlier_one() -> None:
    """None, ours, another proposal's."""
    world = Shop().approved()
    effects = effects_of(world)
    digest = proposal.effects_digest(effects)
    assert applying.earlier(ORDER, world.artifacts, "apply", digest) is None
    update = executed(world, effects)
    assert applying.earlier(ORDER, world.artifacts, "apply", digest) == update
    assert applying.earlier(ORDER, world.artifacts, "apply", "0" * 64) is None
    assert applying.earlier(ORDER, world.artifacts, "rollback", digest) is None


def _locked_before(world: Shop, effects: Effects) -> None:
    began = Update(
        kind="apply",
        effects=proposal.effects_digest(effects),
        result="started",
        started=world.now,
        holder=LOCK,
    )
    applying.record(ORDER, world.site, began)
    world.engine.holders = [(LOCK.host, LOCK.pid)]


def test_the_lock_of_our_own_ended_build_is_removed() -> None:
    """And only then is the plan carried out."""
    world = Shop().approved()
    effects = effects_of(world)
    _locked_before(world, effects)
    world.builds.over.add(LOCK.build)
    assert executed(world, effects).result == "succeeded"
    assert world.engine.calls.count("unlock") == 1


@pytest.mark.parametrize("holders", [[("then", 99)], [("then", 99), ("laptop", 7)], [("x", 1)]])
def test_every_other_lock_stays(holders: list[tuple[str, int]]) -> None:
    """Of a build that runs, of somebody beside it, of a stranger; nothing was applied."""
    world = Shop().approved()
    effects = effects_of(world)
    _locked_before(world, effects)
    world.engine.holders = holders
    if len(holders) > 1:
        world.builds.over.add(LOCK.build)
    with pytest.raises(Locked):
        executed(world, effects)
    assert "unlock" not in world.engine.calls
    assert recorded(world).did_nothing
    assert recorded(world).earlier == (LOCK,)


def test_a_program_is_stored_only_where_it_was_read() -> None:
    """Whoever uploaded meanwhile is not overwritten, and it is said."""
    world = Shop().approved()
    larger = shop(**{"jobs.py": "import os\n"})
    version = world.artifacts.version(BUNDLE)
    assert applying.store_program(ORDER, world.site, world.workload, larger, version) == ""
    assert "jobs.py" in world.files
    for stale in (version, None):
        said = applying.store_program(ORDER, world.site, world.workload, shop(), stale)
        assert f"{BUNDLE} was replaced meanwhile" in said
    assert "jobs.py" in world.files
