"""Law 3: wrong previews, one a line, and the one that is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backburn.catalogue import resize
from backburn.checkpoint import Checkpoint, read
from backburn.errors import Drifted, Refused
from backburn.gate import judge, require_clean, require_settled, require_suited, require_unmoved
from backburn.inputs import UNKNOWN, token
from backburn.preview import PathChange, Plan, Step
from tests.fakes.engine import CLUSTER, SERVICE, STACK, TASK, FakeEngine
from tests.fakes.program import MAIN, shop
from tests.unit.test_catalogue import TASK as RESOURCE
from tests.unit.test_catalogue import allowed

CHANGE = resize(allowed(), {"cpu": "512", "memory": "1024"}, "own_cpu")
CPU = PathChange(path="cpu", kind="update-replace", before="512", after="1024")
MEMORY = PathChange(path="memory", kind="update-replace", before="1024", after="2048")
FOLLOWS = PathChange(
    path="taskDefinition", kind="update", before=token("task-definition shop"), after=UNKNOWN
)


def step(urn: str, op: str, *paths: PathChange) -> Step:
    """One step."""
    kind = urn.split("::")[2]
    return Step.model_validate(
        {"urn": urn, "op": op, "type": kind, "provider": "aws 7.51.1", "paths": paths}
    )


TASK_STEP = step(TASK, "replace", CPU, MEMORY)
SERVICE_STEP = step(SERVICE, "update", FOLLOWS)
UNPATCHED = Plan(steps=(), same=tuple(sorted({STACK, CLUSTER, TASK, SERVICE})))


def patched(*steps: Step, same: tuple[str, ...] = (STACK, CLUSTER)) -> Plan:
    """A preview of the patched program."""
    return Plan(steps=tuple(steps), same=tuple(sorted(same)))


def urn(kind: str, name: str = "other") -> str:
    """Another resource of the stack."""
    return f"urn:pulumi:dev::shop::{kind}::{name}"


def path(name: str, before: Any, after: Any, kind: str = "update") -> PathChange:
    """Another path."""
    return PathChange.model_validate({"path": name, "kind": kind, "before": before, "after": after})


def moved(path_change: PathChange, **changes: Any) -> PathChange:
    """The path, changed."""
    return path_change.model_copy(update=changes)


def test_the_change_and_what_follows_pass() -> None:
    """A new revision, and the service that takes it."""
    judge(CHANGE, UNPATCHED, patched(TASK_STEP, SERVICE_STEP))


def test_numbers_are_as_good_as_their_text() -> None:
    """A program may write a size as a number."""
    numbers = (moved(CPU, before=512, after=1024), moved(MEMORY, before=1024, after=2048))
    judge(CHANGE, UNPATCHED, patched(step(TASK, "replace", *numbers), SERVICE_STEP))


# What a wrong patch, a wrong program or a hostile reasoner could lead to.
WRONG: list[tuple[str, Plan, str]] = [
    ("nothing at all", UNPATCHED, "would not change shop-task"),
    ("only the service", patched(SERVICE_STEP, same=(STACK, CLUSTER, TASK)), "would not change"),
    ("nobody uses it", patched(TASK_STEP, same=(STACK, CLUSTER, SERVICE)), "nothing would use"),
    (
        "an update in place",
        patched(step(TASK, "update", CPU, MEMORY), SERVICE_STEP),
        "would update TaskDefinition shop-task, not replace",
    ),
    (
        "its deletion",
        patched(step(TASK, "delete"), SERVICE_STEP),
        "would delete TaskDefinition shop-task",
    ),
    (
        "another value",
        patched(step(TASK, "replace", moved(CPU, after="4096"), MEMORY), SERVICE_STEP),
        "cpu 512 -> 4096",
    ),
    (
        "from another value",
        patched(step(TASK, "replace", moved(CPU, before="256"), MEMORY), SERVICE_STEP),
        "cpu 256 -> 1024",
    ),
    (
        "cpu without its memory",
        patched(step(TASK, "replace", CPU), SERVICE_STEP),
        "meant was shop-task: cpu 512 -> 1024, memory 1024 -> 2048",
    ),
    (
        "memory without its cpu",
        patched(step(TASK, "replace", MEMORY), SERVICE_STEP),
        "memory 1024 -> 2048; meant was",
    ),
    (
        "a value that is a flag",
        patched(step(TASK, "replace", moved(CPU, after=True), MEMORY), SERVICE_STEP),
        "cpu 512 -> true",
    ),
    (
        "a value nobody knows",
        patched(step(TASK, "replace", moved(CPU, after=UNKNOWN), MEMORY), SERVICE_STEP),
        "known after the apply",
    ),
    (
        "cpu added instead of updated",
        patched(step(TASK, "replace", moved(CPU, kind="add-replace"), MEMORY), SERVICE_STEP),
        "the patch would replace",
    ),
    (
        "its containers too",
        patched(
            step(TASK, "replace", CPU, MEMORY, path("containerDefinitions", "a", "b")),
            SERVICE_STEP,
        ),
        "containerDefinitions a -> b",
    ),
    (
        "its role too",
        patched(
            step(TASK, "replace", CPU, MEMORY, path("taskRoleArn", "a", "b", "update-replace")),
            SERVICE_STEP,
        ),
        "taskRoleArn",
    ),
    (
        "the service's count too",
        patched(TASK_STEP, step(SERVICE, "update", FOLLOWS, path("desiredCount", 1, 2))),
        "desiredCount 1 -> 2",
    ),
    (
        "the service replaced",
        patched(TASK_STEP, step(SERVICE, "replace", moved(FOLLOWS, kind="update-replace"))),
        "would also replace Service shop-service",
    ),
    (
        "the service on a task definition that is known already",
        patched(
            TASK_STEP,
            step(SERVICE, "update", moved(FOLLOWS, after=token("task-definition evil"))),
        ),
        "would not follow",
    ),
    (
        "the service from something that is no task definition",
        patched(TASK_STEP, step(SERVICE, "update", moved(FOLLOWS, before="latest"))),
        "would not follow",
    ),
    (
        "two services",
        patched(TASK_STEP, SERVICE_STEP, step(urn("aws:ecs/service:Service"), "update", FOLLOWS)),
        "several resources of type aws:ecs/service:Service",
    ),
    (
        "a task definition of the same name elsewhere",
        patched(
            TASK_STEP,
            SERVICE_STEP,
            step(TASK.replace("::aws", "::my:Shop$aws"), "replace", CPU, MEMORY).model_copy(
                update={"type": RESOURCE.type}
            ),
        ),
        "several resources are shop-task",
    ),
    (
        "another task definition",
        patched(
            TASK_STEP,
            SERVICE_STEP,
            step(urn("aws:ecs/taskDefinition:TaskDefinition"), "replace", CPU),
        ),
        "would also replace TaskDefinition other",
    ),
]
for _kind, _op in [
    ("aws:iam/role:Role", "update"),
    ("aws:iam/rolePolicy:RolePolicy", "create"),
    ("aws:ec2/securityGroup:SecurityGroup", "update"),
    ("aws:ec2/vpc:Vpc", "replace"),
    ("aws:lb/listener:Listener", "update"),
    ("aws:rds/instance:Instance", "update"),
    ("aws:dynamodb/table:Table", "delete"),
    ("aws:s3/bucket:Bucket", "replace"),
    ("aws:secretsmanager/secret:Secret", "update"),
    ("aws:appautoscaling/target:Target", "create"),
]:
    _other = step(urn(_kind), _op, *([path("x", "a", "b")] if _op == "update" else []))
    WRONG.append((f"{_op} of {_kind}", patched(TASK_STEP, SERVICE_STEP, _other), "would also"))


@pytest.mark.parametrize(("plan", "said"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_law_3_anything_else_is_refused(plan: Plan, said: str) -> None:
    """More, less or other than the change and its follow-on steps."""
    with pytest.raises(Refused, match=said):
        judge(CHANGE, UNPATCHED, plan)


@pytest.mark.parametrize("same", [(STACK,), (STACK, CLUSTER, urn("aws:s3/bucket:Bucket"))])
def test_law_3_resources_neither_come_nor_go(same: tuple[str, ...]) -> None:
    """A resource that is in one preview only is a difference, though no step names it."""
    with pytest.raises(Refused, match="come or go"):
        judge(CHANGE, UNPATCHED, patched(TASK_STEP, SERVICE_STEP, same=same))


def test_law_3_undeployed_changes_are_listed() -> None:
    """Without any patch nothing may change, else the patch would carry it along."""
    found = Plan(
        steps=(SERVICE_STEP, *[step(urn("a:b:C", f"n{i}"), "create") for i in range(6)]), same=()
    )
    refused: list[Callable[[], None]] = [
        lambda: require_clean(found),
        lambda: judge(CHANGE, found, patched(TASK_STEP, SERVICE_STEP)),
    ]
    for check in refused:
        with pytest.raises(Drifted, match=r"update Service shop-service.* and 2 more: deploy"):
            check()


def test_law_3_pending_operations_are_refused() -> None:
    """An interrupted update may have left something in AWS that the state does not know."""
    require_settled(())
    with pytest.raises(Refused, match="creating Service shop-service"):
        require_settled(("creating Service shop-service",))


def deployed(old: str = "", new: str = "") -> Checkpoint:
    """The state of the shop, with a text of its program replaced."""
    files = shop(**{"__main__.py": MAIN.replace(old, new)})
    return read(FakeEngine(files).export(files))


def test_law_3_a_replacement_deletes_nothing() -> None:
    """The revision before must stay registered; a program that lets it go is refused."""
    require_suited(CHANGE, deployed())
    with pytest.raises(Refused, match=r"set skipDestroy on it \(skip_destroy=True"):
        require_suited(CHANGE, deployed("skip_destroy=True", "track_latest=True"))


def test_law_3_a_setting_is_for_its_own_kind() -> None:
    """A task on instances of one's own has other sizes; what is not deployed has none."""
    for state in (deployed('"FARGATE"', '"EC2"'), read({"version": 3, "deployment": {}})):
        with pytest.raises(Refused, match="no FARGATE in requiresCompatibilities"):
            require_suited(CHANGE, state)


def test_law_2_a_state_that_moves_is_refused() -> None:
    """A preview takes no lock."""
    before = Checkpoint(sha256="a", pending=(), providers={}, resources={}, outputs={})
    require_unmoved(before, before)
    with pytest.raises(Drifted, match="moved while"):
        require_unmoved(before, before.model_copy(update={"sha256": "b"}))
