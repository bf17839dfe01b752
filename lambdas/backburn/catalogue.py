"""The table of settings: what may be changed at all, how far, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from .change import Change, Move, SettingName
from .errors import Abstained
from .preview import Kind, Op
from .workload import AllowedSetting, Model


class FollowOn(Model):
    """A step that a preview shows because of the change: on what, and at which paths."""

    type: str
    op: Op
    paths: Mapping[str, Kind]


class Setting(Model):
    """One row of the catalogue."""

    name: SettingName
    resource_type: str
    property: str
    companions: tuple[str, ...]
    op: Op = Field(description="what the engine does to the resource")
    kind: Kind = Field(description="how its detailed diff calls it")
    cures: frozenset[str] = Field(description="causes of a diagnosis")
    follow_on: tuple[FollowOn, ...] = Field(description="each exactly once")
    keeps: str = Field(description="input that must be true, so that replacing deletes nothing")
    needs: tuple[str, str] = Field(description="list input, and what must be in it")
    settles: Literal["ecs_rollout"]
    api_calls: tuple[str, ...] = Field(description="what applying it needs of IAM")


TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"

CATALOGUE: Mapping[str, Setting] = {
    "ecs.task_size": Setting(
        name="ecs.task_size",
        resource_type=TASK_DEFINITION,
        property="cpu",
        companions=("memory",),
        op="replace",  # a task definition is immutable: a new revision
        kind="update-replace",
        cures=frozenset({"own_cpu"}),
        follow_on=(FollowOn(type=SERVICE, op="update", paths={"taskDefinition": "update"}),),
        keeps="skipDestroy",  # the revision before is what a circuit breaker goes back to
        needs=("requiresCompatibilities", "FARGATE"),  # the table of sizes is Fargate's
        settles="ecs_rollout",
        api_calls=(
            "ecs:DescribeClusters",
            "ecs:DescribeServices",
            "ecs:DescribeTaskDefinition",
            "ecs:ListTagsForResource",
            "ecs:RegisterTaskDefinition",
            "ecs:TagResource",
            "ecs:UpdateService",
            "iam:PassRole",
        ),
    )
}

# Legal Fargate pairs, CPU units -> MiB (AWS page task-cpu-memory-error). The steps of the last
# two rows are second-hand; a wrong one would be refused by ECS, not applied.
FARGATE: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: (1024, 2048, 3072, 4096),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}


def legal(cpu: int, memory: int) -> bool:
    """Whether Fargate has tasks of this size."""
    return memory in FARGATE.get(cpu, ())


def sizes_above(cpu: int, memory: int) -> Iterator[tuple[int, int]]:
    """Every larger CPU, each with the smallest legal memory that is not less than now."""
    for larger in sorted(FARGATE):
        enough = [m for m in FARGATE[larger] if m >= memory]
        if larger > cpu and enough:
            yield larger, min(enough)


def resize(
    allowed: AllowedSetting, present: Mapping[str, str], why: str, cpu: int | None = None
) -> Change:
    """The change to the next task size, or to `cpu`; Abstained if the workload forbids it."""
    now_cpu, now_memory = (_units(name, present[name]) for name in ("cpu", "memory"))
    if not legal(now_cpu, now_memory):
        raise Abstained(f"{now_cpu} CPU units with {now_memory} MiB is no size Fargate has")
    found = [s for s in sizes_above(now_cpu, now_memory) if cpu in {None, s[0]}]
    if not found:
        wanted = "larger size" if cpu is None else f"size of {cpu} CPU units"
        raise Abstained(f"Fargate has no {wanted} above {now_cpu} CPU units, {now_memory} MiB")
    next_cpu, next_memory = found[0]
    if next_cpu > allowed.max_cpu or next_memory > allowed.max_memory:
        raise Abstained(
            f"the next task size, {next_cpu} CPU units with {next_memory} MiB, is above the "
            f"workload's limit of {allowed.max_cpu} with {allowed.max_memory}: raise max_cpu and "
            f"max_memory in workloads.yaml if that is wanted"
        )
    return Change(
        setting=allowed.setting,
        resource=allowed.resource,
        move=Move(property="cpu", before=str(now_cpu), after=str(next_cpu)),
        companions=_companions(now_memory, next_memory),
        why=why,
    )


def allows(allowed: AllowedSetting, change: Change) -> bool:
    """Whether the workload still lets this change through."""
    after = {m.property: _units(m.property, m.after) for m in change.moves}
    row = CATALOGUE[change.setting]
    return (
        (allowed.setting, allowed.resource) == (change.setting, change.resource)
        and change.move.property == row.property
        and {m.property for m in change.companions} <= set(row.companions)
        and after.get("cpu", 0) <= allowed.max_cpu
        and after.get("memory", 0) <= allowed.max_memory
    )


def _companions(before: int, after: int) -> tuple[Move, ...]:
    if before == after:
        return ()
    return (Move(property="memory", before=str(before), after=str(after)),)


def _units(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Abstained(f"{name} is {text!r}: only plain numbers of CPU units and MiB are changed")
    return int(text)
