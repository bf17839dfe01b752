"""ApplyPatch: what was approved is what is applied, or nothing (law 2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backburn import bundle, proposal
from backburn.decision import Decision
from backburn.errors import Braked, Broken, BuildFault, Drifted, HalfApplied, Locked, Refused
from backburn.incident import Status
from backburn.patch import Edit, Files, Patch, make
from backburn.steps.apply_patch import _require_allowed
from backburn.update import Holder, Update
from backburn.workload import Mode
from tests.fakes.engine import ARN, SERVICE, TASK
from tests.fakes.program import CONFIG, shop
from tests.fakes.shop import APPROVER, BUNDLE, ORDER, Shop

APPLIED = "applied: update Service shop-service, replace TaskDefinition shop-task"


def update_of(world: Shop, name: str = "update") -> Update:
    """What was recorded."""
    return Update.model_validate_json(world.artifacts.read(ORDER.key(name)))


def test_what_was_approved_is_applied() -> None:
    """The engine is held to the plan; the program, the record and the status follow."""
    world = Shop().approved()
    assert world.apply() == {
        "OUTCOME": "applied",
        "REASON": APPLIED,
        "UPDATE": ORDER.key("update"),
    }
    assert (world.engine.task["cpu"], world.engine.serving) == ("1024", 2)
    assert b'cpu="1024"' in world.files["__main__.py"]
    assert update_of(world).task_definition == ARN.format(2)
    assert world.incidents.get("shop-1").status is Status.APPLIED
    assert APPLIED in world.notes


def test_a_second_run_finds_what_was_done() -> None:
    """A redriven build applies nothing twice."""
    world = Shop().approved()
    first = world.apply()
    ups = world.engine.calls.count("up")
    assert world.apply() == first
    assert world.engine.calls.count("up") == ups == 1


# What may be tampered with between the click and the apply, or differ for other reasons.


def _proposal_byte(world: Shop) -> None:
    key = ORDER.key("proposal")
    world.artifacts.write(key, world.artifacts.read(key) + b"\n")


def _proposal_field(world: Shop) -> None:
    key = ORDER.key("proposal")
    document = proposal.read(world.artifacts.read(key))
    effects = document.effects.model_copy(
        update={"expires": document.effects.expires.replace(year=2030)}
    )
    world.artifacts.write(key, proposal.document(document.model_copy(update={"effects": effects})))


def _shown(world: Shop) -> None:
    key = ORDER.key("proposal")
    document = proposal.read(world.artifacts.read(key))
    shown = document.shown.model_copy(update={"cost": "nothing"})
    world.artifacts.write(key, proposal.document(document.model_copy(update={"shown": shown})))


def _other_patch(world: Shop) -> None:
    patch = Patch.model_validate_json(world.artifacts.read(ORDER.key("patch")))
    edits = tuple(e.model_copy(update={"new": "4096"}) for e in patch.edits)
    data = patch.model_copy(update={"edits": edits}).model_dump_json().encode()
    world.artifacts.write(ORDER.key("patch"), data)


def _decision(**changes: Any) -> Callable[[Shop], None]:
    def tamper(world: Shop) -> None:
        world.approve(**changes)

    return tamper


def _forged(**changes: Any) -> Callable[[Shop], None]:
    def tamper(world: Shop) -> None:
        decision = world.approvals.decision("shop-1")
        assert decision is not None
        world.decide(decision.model_copy(update=changes))

    return tamper


def _none(world: Shop) -> None:
    world.approvals._decisions.clear()


def _late(world: Shop) -> None:
    world.now += timedelta(hours=1, minutes=16)


def _mode(world: Shop) -> None:
    world.workload = world.workload.model_copy(update={"mode": Mode.PROPOSE})


def _lower_limit(world: Shop) -> None:
    lower = world.workload.settings[0].model_copy(update={"max_cpu": 512})
    world.workload = world.workload.model_copy(update={"settings": (lower,)})


def _tools(world: Shop) -> None:
    world.engine.versions = lambda _files: ("3.260.0", "python")  # type: ignore[method-assign]


def _closed(world: Shop) -> None:
    world.incidents.set_status("shop-1", Status.CLOSED, "by hand", world.now)


def _retried(world: Shop) -> None:
    world.incidents.next_attempt("shop-1")


def _other_incident(world: Shop) -> None:
    key = ORDER.key("proposal")
    document = proposal.read(world.artifacts.read(key))
    effects = document.effects.model_copy(update={"incident": "shop-9"})
    other = document.model_copy(update={"effects": effects})
    world.artifacts.write(key, proposal.document(other))
    decision = world.approvals.decision("shop-1")
    assert decision is not None
    again = decision.model_copy(update={"digest": proposal.digest(other)})
    world.decide(again.signed(world.mac_key.generate(again.message())))


REFUSED: list[tuple[str, Callable[[Shop], None], str]] = [
    ("a byte of the proposal", _proposal_byte, "canonical form"),
    ("a field of the proposal", _proposal_field, "approved was proposal"),
    ("what was shown", _shown, "approved was proposal"),
    ("another patch", _other_patch, "not the one the patch was made for"),
    ("no decision", _none, "nobody decided"),
    ("a rejection", _decision(decision="reject"), "rejected"),
    ("another proposal's decision", _decision(digest="0" * 64), "approved was proposal"),
    ("another incident's decision", _decision(incident="shop-2"), "is about shop-2"),
    ("another attempt's decision", _decision(attempt=2), "attempt 2"),
    ("a stranger's decision", _decision(approver="x@example.com"), "no approver"),
    ("a decision without MAC", _forged(mac=""), "MAC is wrong"),
    ("a MAC that is no hexadecimal", _forged(mac="zz"), "MAC is wrong"),
    ("a decision changed after its MAC", _forged(approver="b@example.com"), "MAC is wrong"),
    ("another incident's proposal", _other_incident, "is about shop-9"),
    ("an approval that is too old", _late, "expired"),
    ("a workload that may not apply any more", _mode, "mode propose"),
    ("a limit that was lowered", _lower_limit, "does not allow"),
    ("other tools", _tools, "tools differ"),
    ("an incident that was closed", _closed, "is closed by now"),
    ("an attempt that another took over from", _retried, "attempt 2 has taken over"),
]


@pytest.mark.parametrize(("tamper", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_law_2_any_difference_is_a_refusal(tamper: Callable[[Shop], None], said: str) -> None:
    """Tampered, forged, replayed, expired or changed since: nothing is applied."""
    world = Shop().approved()
    tamper(world)
    with pytest.raises(Refused, match=said):
        world.apply()
    assert "up" not in world.engine.calls
    assert world.files == shop()


def test_a_decision_after_its_expiry_is_refused() -> None:
    """The route checks it; the deploy job checks it again."""
    world = Shop().approved()
    decision = world.approvals.decision("shop-1")
    assert decision is not None
    late: Decision = decision.model_copy(update={"at": decision.expiry})
    world.decide(late.signed(world.mac_key.generate(late.message())))
    with pytest.raises(Refused, match="after its expiry"):
        world.apply()
    assert decision.approver == APPROVER


def test_a_click_in_the_last_second_still_counts() -> None:
    """The build starts minutes after it."""
    world = Shop().approved()
    world.now += timedelta(minutes=70)
    assert world.apply()["OUTCOME"] == "applied"


def _config(world: Shop) -> None:
    world.artifacts.write(BUNDLE, bundle.pack(shop(**{"Pulumi.dev.yaml": f"{CONFIG}# new\n"})))


def _lockfile(world: Shop) -> None:
    world.artifacts.write(BUNDLE, bundle.pack(shop(**{"requirements.txt": "pulumi==3.272.0\n"})))


def _another_file(world: Shop) -> None:
    world.artifacts.write(BUNDLE, bundle.pack(shop(**{"jobs.py": "import os\n"})))


def _deployed(world: Shop) -> None:
    world.engine.revision = world.engine.serving = 5


@pytest.mark.parametrize(
    ("change", "ran"),
    [(_config, []), (_lockfile, []), (_another_file, []), (_deployed, ["preview", "plan"])],
)
def test_law_2_somebody_elses_work_since_the_approval_is_drift(
    change: Callable[[Shop], None], ran: list[str]
) -> None:
    """Another state than was approved, or another program, which does not even run."""
    world = Shop().approved()
    change(world)
    world.engine.calls.clear()
    with pytest.raises(Drifted, match=r"than was approved|checkpoint differ"):
        world.apply()
    assert sorted(c for c in world.engine.calls if c != "export") == sorted(ran)
    assert ran or "export" not in world.engine.calls


def test_law_2_a_killed_build_runs_no_other_program_either() -> None:
    """What the first try did is unknown; a program that nobody approved does not find it out."""
    world = Shop().approved()
    world.engine.breaks_off = True
    with pytest.raises(KeyboardInterrupt):
        world.apply()
    _another_file(world)
    world.engine.calls.clear()
    with pytest.raises(HalfApplied):
        world.apply()
    assert world.engine.calls == []


def test_law_2_the_program_that_is_stored_is_the_approved_one() -> None:
    """A patch that was exchanged after the apply is not what the next deployment gets."""
    world = Shop().approved()
    world.apply()
    world.artifacts.write(BUNDLE, bundle.pack(shop()))
    other = make(shop(), (Edit(file="__main__.py", start=0, old='"""', new='"""Evil. '),))
    world.artifacts.write(ORDER.key("patch"), other.model_dump_json().encode())
    with pytest.raises(Refused, match="not the patch that was approved"):
        world.apply()
    assert world.files == shop()


def test_law_10_brakes_are_read_again() -> None:
    """Kill switch and the day's cap, at the moment of the apply."""
    world = Shop().approved()
    world.brakes.why = "stopped by ops"
    with pytest.raises(Braked, match="stopped by ops"):
        world.apply()
    world.brakes.why = None
    world.now += timedelta(minutes=1)
    limits = world.workload.limits.model_copy(update={"changes_per_day": 0})
    world.workload = world.workload.model_copy(update={"limits": limits})
    with pytest.raises(Braked, match="0 changes a day"):
        world.apply()


def test_law_10_a_brake_that_is_put_on_during_the_preview_stops_the_apply() -> None:
    """It takes minutes, and the switch is to work at once."""
    world = Shop().approved()
    plan = world.engine.plan

    def stopped_meanwhile(files: Files) -> Any:
        world.brakes.why = "stopped by ops"
        return plan(files)

    world.engine.plan = stopped_meanwhile  # type: ignore[method-assign]
    with pytest.raises(Braked, match="stopped by ops"):
        world.apply()
    assert "up" not in world.engine.calls


def test_law_10_the_cap_counts_changes_and_not_incidents() -> None:
    """A second attempt at the same incident is a second change of the day."""
    world = Shop().approved()
    limits = world.workload.limits.model_copy(update={"changes_per_day": 1})
    world.workload = world.workload.model_copy(update={"limits": limits})
    effects = proposal.read(world.artifacts.read(ORDER.key("proposal"))).effects
    _require_allowed(ORDER, world.workload, world.site, effects)
    world.incidents.next_attempt("shop-1")
    with pytest.raises(Braked, match="1 changes a day"):
        _require_allowed(ORDER._replace(attempt=2), world.workload, world.site, effects)


def test_a_failing_update_is_a_fault_and_says_what_was_applied() -> None:
    """Nothing half-applied goes unsaid."""
    world = Shop().approved()
    world.engine.fails_at = SERVICE
    with pytest.raises(BuildFault, match="replace TaskDefinition shop-task; failed: Service"):
        world.apply()
    assert update_of(world).failed == (SERVICE,)
    assert world.notes[-1].startswith("applied: replace TaskDefinition shop-task; failed: Service")
    assert world.files == shop()


def test_a_half_applied_update_is_not_applied_again() -> None:
    """The redriven build says what the first one did."""
    world = Shop().approved()
    world.engine.fails_at = SERVICE
    with pytest.raises(BuildFault):
        world.apply()
    world.engine.fails_at = ""
    said = r"half-way: applied: replace TaskDefinition.*still open: update Service"
    with pytest.raises(HalfApplied, match=said):
        world.apply()
    assert world.engine.calls.count("up") == 1


def test_a_half_applied_update_is_said_even_if_the_rest_cannot_be_foreseen() -> None:
    """What is known is told; what is not is told, too."""
    world = Shop().approved()
    world.engine.fails_at = SERVICE
    with pytest.raises(BuildFault):
        world.apply()

    def broken(_files: object) -> Any:
        raise Broken("the program needs a newer provider")

    world.engine.preview = broken  # type: ignore[method-assign]
    with pytest.raises(HalfApplied, match=r"replace TaskDefinition.*foreseen: the program needs"):
        world.apply()


def test_an_update_that_could_not_begin_leaves_others_work_what_it_is() -> None:
    """The plan did not fit any more: that is drift, and nothing is half applied."""
    world = Shop().approved()
    up = world.engine.up

    def scaled_then_up(*arguments: Any) -> Any:
        world.engine.desired = 5
        return up(*arguments)

    world.engine.up = scaled_then_up  # type: ignore[method-assign]
    with pytest.raises(BuildFault, match="applied: nothing"):
        world.apply()
    assert update_of(world).did_nothing
    with pytest.raises(Drifted):
        world.apply()


def test_an_update_that_did_nothing_is_tried_again() -> None:
    """The cloud refused the first step; the world is as it was approved."""
    world = Shop().approved()
    world.engine.fails_at = TASK
    with pytest.raises(BuildFault, match="not applied: Service shop-service"):
        world.apply()
    world.engine.fails_at = ""
    assert world.apply()["OUTCOME"] == "applied"


def test_a_build_killed_after_the_apply_is_found_applied() -> None:
    """The program was not stored and nothing was recorded; the state tells."""
    world = Shop().approved()
    world.engine.breaks_off = True
    with pytest.raises(KeyboardInterrupt):
        world.apply()
    assert update_of(world).result == "started"
    assert world.files == shop()
    world.engine.breaks_off = False
    assert world.apply()["OUTCOME"] == "applied"
    assert update_of(world).task_definition == ARN.format(2)
    assert b'cpu="1024"' in world.files["__main__.py"]
    assert world.engine.calls.count("up") == 1


def test_a_killed_build_and_a_program_that_moved_on_is_half_applied() -> None:
    """Which program is right, a person must say."""
    world = Shop().approved()
    world.engine.breaks_off = True
    with pytest.raises(KeyboardInterrupt):
        world.apply()
    _another_file(world)
    with pytest.raises(HalfApplied, match="the program moved on"):
        world.apply()


def test_a_program_replaced_during_the_apply_is_not_overwritten() -> None:
    """The bundle is stored only if it is still the one that was read."""
    world = Shop().approved()
    up = world.engine.up

    def up_and_upload(*arguments: Any) -> Any:
        _another_file(world)
        return up(*arguments)

    world.engine.up = up_and_upload  # type: ignore[method-assign]
    answer = world.apply()
    assert answer["OUTCOME"] == "applied"
    assert "replaced meanwhile" in answer["REASON"]
    assert "jobs.py" in world.files


def locked(world: Shop, build: str) -> None:
    """An earlier try of ours, process 99 of host `then`, and its lock."""
    effects = proposal.read(world.artifacts.read(ORDER.key("proposal"))).effects
    update = Update(
        kind="apply",
        effects=proposal.effects_digest(effects),
        result="started",
        started=world.now,
        holder=Holder(build=build, host="then", pid=99),
    )
    world.artifacts.write(ORDER.key("update"), update.model_dump_json().encode())
    world.engine.holders = [("then", 99)]


def test_a_lock_of_our_own_ended_build_is_removed() -> None:
    """Once, said so in the timeline, and the plan is applied."""
    world = Shop().approved()
    locked(world, "deploy:1")
    world.builds.over.add("deploy:1")
    assert world.apply()["OUTCOME"] == "applied"
    assert world.engine.calls.count("unlock") == 1
    assert any("removed the lock" in note for note in world.notes)


@pytest.mark.parametrize(
    ("holders", "over"),
    [
        ([("then", 99)], False),  # ours, and it still runs
        ([("then", 98)], True),  # another process
        ([("elsewhere", 99)], True),  # another machine
        ([("then", 99), ("laptop", 7)], True),  # ours and somebody's
    ],
)
def test_any_other_lock_stays(holders: list[tuple[str, int]], over: bool) -> None:
    """Who holds it is the answer."""
    world = Shop().approved()
    locked(world, "deploy:1")
    world.engine.holders = holders
    if over:
        world.builds.over.add("deploy:1")
    with pytest.raises(Locked, match="locked by somebody"):
        world.apply()
    assert "unlock" not in world.engine.calls


def test_who_tried_before_is_remembered() -> None:
    """A third run still knows the first one's process."""
    world = Shop().approved()
    locked(world, "deploy:1")
    world.engine.holders = [("laptop", 7)]
    with pytest.raises(Locked):
        world.apply()
    assert update_of(world).did_nothing, "who could not take the lock has changed nothing"
    known = {(h.host, h.pid) for h in update_of(world).earlier}
    assert known == {("then", 99)}
    assert json.loads(world.artifacts.read(ORDER.key("update")))["holder"]["build"] == "deploy:2"
