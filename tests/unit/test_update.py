"""What was executed, held against what was approved."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from backburn.incident import artifact_key
from backburn.preview import canonical_plan
from backburn.update import DOCUMENT, Run, Update, finished, recorded, same_step, standing
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.engine import ARN, CLUSTER, PROVIDER, SERVICE, TASK, FakeEngine
from tests.fakes.program import shop
from tests.unit.test_gate import SERVICE_STEP, TASK_STEP
from tests.unit.test_preview import LARGER

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STARTED = Update(kind="apply", effects="e" * 64, result="started", started=NOW)
PROVIDERS = {PROVIDER: "aws 7.51.1"}
APPROVED = (SERVICE_STEP, TASK_STEP)


def run(fails_at: str = "") -> Run:
    """The run of a larger task."""
    engine = FakeEngine(shop())
    engine.fails_at = fails_at
    files = shop(**{"__main__.py": LARGER})
    return engine.up(files, engine.plan(files)[1], lambda _pid: None)


def judged(told: Run) -> Update:
    """The update of a run."""
    return finished(STARTED, told, APPROVED, PROVIDERS, NOW)


def changed(change: Any) -> Run:
    """The run with its events changed."""
    told = run()
    events: list[dict[str, Any]] = copy.deepcopy([dict(e) for e in told.events])
    change(events)
    return told._replace(events=tuple(events))


def test_what_was_approved_was_done() -> None:
    """Both steps, and the revision that serves now."""
    update = judged(run())
    assert (update.result, update.ended) == ("succeeded", NOW)
    assert {s.urn for s in update.executed} == {TASK, SERVICE}
    assert update.task_definition == ARN.format(2)
    assert update.words() == (
        "applied: update Service shop-service, replace TaskDefinition shop-task"
    )


def test_refreshes_and_what_stays_are_no_steps() -> None:
    """The event stream tells of every resource."""

    def add(events: list[dict[str, Any]]) -> None:
        told = [{"op": op, "urn": CLUSTER} for op in ("refresh", "same")]
        events += [{"resOutputsEvent": {"metadata": metadata}} for metadata in told]

    assert judged(changed(add)).result == "succeeded"


def test_a_step_that_fails_is_named_and_what_came_before_it() -> None:
    """`pulumi up` is not atomic: nothing half-applied goes unsaid."""
    update = judged(run(fails_at=SERVICE))
    assert update.result == "failed"
    assert update.words() == (
        "applied: replace TaskDefinition shop-task; failed: Service shop-service; "
        "No Fargate configuration exists for given values."
    )


def test_what_was_not_reached_is_named() -> None:
    """The first step failed, the second was never tried."""
    update = judged(run(fails_at=TASK))
    assert (update.failed, update.missing) == ((TASK,), (SERVICE,))
    assert update.words().startswith(
        "applied: nothing; failed: TaskDefinition shop-task; not applied: Service shop-service"
    )


def test_law_2_other_than_approved_is_a_failure() -> None:
    """Another resource, another value, or something we do not know was executed."""

    def another(events: list[dict[str, Any]]) -> None:
        metadata = copy.deepcopy(events[0]["resOutputsEvent"]["metadata"])
        metadata |= {"urn": CLUSTER}
        events.append({"resOutputsEvent": {"metadata": metadata}})

    def value(events: list[dict[str, Any]]) -> None:
        for event in events:
            new = event["resOutputsEvent"]["metadata"]["new"]
            if new and "cpu" in new["inputs"]:
                new["inputs"]["cpu"] = "4096"

    def unknown(events: list[dict[str, Any]]) -> None:
        events.append({"resOutputsEvent": {"metadata": {"op": "import", "urn": CLUSTER}}})

    for change, said in [
        (another, "replace Cluster shop-cluster"),
        (value, "replace TaskDefinition shop-task with other values"),
        (unknown, "'import'"),
    ]:
        update = judged(changed(change))
        assert update.result == "failed"
        assert said in "; ".join(update.differences)
        assert "other than approved" in update.words()


def test_a_run_that_says_nothing_is_a_failure() -> None:
    """No events: nothing was done."""
    update = judged(Run(ok=True, events=(), said=""))
    assert (update.result, update.missing) == ("failed", (SERVICE, TASK))


def test_an_approved_unknown_may_be_known_by_now() -> None:
    """The new revision has a number after the apply; an ordinary value may not differ."""
    told = FakeEngine(shop()).preview(shop(**{"__main__.py": LARGER}))
    executed = canonical_plan(told, PROVIDERS)
    assert all(same_step(a, e) for a, e in zip(APPROVED, executed.steps, strict=True))
    assert not same_step(SERVICE_STEP, TASK_STEP)
    fewer = TASK_STEP.model_copy(update={"paths": TASK_STEP.paths[:1]})
    assert not same_step(TASK_STEP, fewer)


def test_what_was_begun_and_never_ended_is_a_warning() -> None:
    """Nobody knows what it did; an operator must look."""
    assert STARTED.words() == "it was interrupted, and what it applied is not recorded"
    assert "look at the stack first" in STARTED.told()
    assert judged(run()).told().startswith("apply: applied: update Service")


def test_the_updates_of_an_attempt_are_read_in_their_order() -> None:
    """Apply first, then rollback; what was never begun is not there."""
    artifacts = FakeArtifacts()
    assert recorded(artifacts, "shop-1", 1) == ()
    back = STARTED.model_copy(update={"kind": "rollback"})
    for update in (back, STARTED):
        key = artifact_key("shop-1", 1, DOCUMENT[update.kind])
        artifacts.write(key, update.model_dump_json().encode())
    assert recorded(artifacts, "shop-1", 1) == (STARTED, back)
    assert recorded(artifacts, "shop-1", 2) == ()


def test_what_was_taken_back_or_never_done_does_not_stand() -> None:
    """A rollback that succeeded undoes; what did nothing does not count."""
    done = judged(run())
    nothing = STARTED.model_copy(update={"result": "failed"})
    back = done.model_copy(update={"kind": "rollback"})
    assert standing(()) == standing((nothing,)) == standing((done, back)) == ()
    assert standing((done, nothing)) == (done,)
    begun = back.model_copy(update={"result": "started"})
    assert standing((done, begun)) == (done, begun)
