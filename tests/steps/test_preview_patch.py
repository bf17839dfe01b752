"""PreviewPatch: what the engine says, through the gate."""

from __future__ import annotations

from typing import Any

import pytest

from backburn import bundle
from backburn.errors import Broken, Drifted, Refused
from backburn.proposal import Preview
from tests.fakes.engine import ARN, SERVICE, TASK, FakeEngine
from tests.fakes.program import CONFIG, MAIN, shop
from tests.fakes.shop import BUNDLE, ORDER, Shop


def proposed(**changes: Any) -> Shop:
    """A shop with a patch."""
    world = Shop(**changes)
    world.propose()
    return world


def store(world: Shop, **files: str) -> None:
    """Another program in the bundle store."""
    world.artifacts.write(BUNDLE, bundle.pack(shop(**files)))


def test_it_writes_everything_an_approval_binds() -> None:
    """Steps, mirror, versions, digests, cost and words."""
    world = proposed()
    assert world.preview() == {
        "OUTCOME": "previewed",
        "REASON": "shop-task: cpu 512 -> 1024, memory 1024 -> 2048",
        "PREVIEW": ORDER.key("preview"),
    }
    preview = Preview.model_validate_json(world.artifacts.read(ORDER.key("preview")))
    bound = preview.bound
    assert [s.urn for s in bound.steps] == [s.urn for s in bound.mirror] == [SERVICE, TASK]
    assert bound.bundle == bundle.sha256(shop())
    assert (bound.project, bound.stack, bound.backend) == ("shop", "dev", "s3://state")
    assert bound.tools.sdk == "pulumi 3.272.0"
    assert bound.tools.providers == ("aws 7.51.1",)
    assert preview.cost.words().startswith("$36.04 -> $72.08 a month")
    assert preview.steps_in_words[1].startswith("update Service shop-service: taskDefinition")
    assert preview.rollback_in_words[0].endswith("cpu 1024 -> 512, memory 2048 -> 1024")


def test_law_2_the_same_world_gives_the_same_document() -> None:
    """Nothing of a run leaks into what is bound."""
    one, other = proposed(), proposed()
    one.preview()
    other.preview()
    assert one.artifacts.read(ORDER.key("preview")) == other.artifacts.read(ORDER.key("preview"))


def test_law_3_undeployed_changes_are_not_carried_along() -> None:
    """Somebody changed the count and did not deploy."""
    world = proposed()
    store(world, **{"Pulumi.dev.yaml": CONFIG.replace("desired: 2", "desired: 3")})
    with pytest.raises(Drifted, match="desiredCount 2 -> 3"):
        world.preview()


def test_law_3_drift_in_aws_is_not_carried_along() -> None:
    """Somebody set the service back by hand."""
    world = proposed()
    world.engine.revision = 2
    with pytest.raises(Drifted, match="update Service shop-service"):
        world.preview()


def test_law_3_a_patch_that_does_more_is_refused() -> None:
    """The engine, not the diff, says what a patch does: here it moves the count as well."""
    world = proposed()
    before = world.engine._desired
    world.engine._desired = lambda files: (  # type: ignore[method-assign]
        before(files) + (b'cpu="1024"' in files["__main__.py"])
    )
    with pytest.raises(Refused, match=r"also update Service shop-service.*desiredCount 2 -> 3"):
        world.preview()


def test_law_3_a_program_that_lets_the_old_revision_go_is_refused() -> None:
    """Said with what to write."""
    files = shop(**{"__main__.py": MAIN.replace("    skip_destroy=True,\n", "")})
    world = Shop(files)
    world.engine = FakeEngine(files)
    world.propose()
    with pytest.raises(Refused, match="skip_destroy=True in Python"):
        world.preview()


def test_pending_operations_are_refused() -> None:
    """An interrupted update comes first."""
    world = proposed()
    world.engine.pending = [{"type": "creating", "resource": {"urn": SERVICE}}]
    with pytest.raises(Refused, match="creating Service shop-service"):
        world.preview()
    assert world.engine.calls == ["export"]


def test_a_program_that_does_not_run_says_its_own_lines() -> None:
    """Somebody broke it since."""
    world = proposed()
    store(world, **{"__main__.py": f'{MAIN}\nraise ValueError("boom")\n'})
    with pytest.raises(Broken, match=r'ValueError\("boom"\)'):
        world.preview()


def test_a_program_that_moved_on_is_refused() -> None:
    """The patch was made for another text."""
    world = proposed()
    store(world, **{"__main__.py": f"# new\n{MAIN}"})
    with pytest.raises(Refused, match="not the one the patch was made for"):
        world.preview()


def test_a_state_that_moves_meanwhile_is_told() -> None:
    """A preview takes no lock."""
    world = proposed()
    plan = world.engine.plan

    def plan_and_move(files: Any) -> Any:
        found = plan(files)
        world.engine.revision = world.engine.serving = 9
        return found

    world.engine.plan = plan_and_move  # type: ignore[method-assign]
    with pytest.raises(Drifted, match="moved while"):
        world.preview()
    assert ARN.format(9) in str(world.engine.export(shop()))
