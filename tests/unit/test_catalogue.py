"""What may be changed, and how far."""

from __future__ import annotations

import pytest

from backburn.catalogue import CATALOGUE, FARGATE, allows, legal, resize, sizes_above
from backburn.change import Change, Move
from backburn.errors import Abstained
from backburn.workload import AllowedSetting, Resource

TASK = Resource(type="aws:ecs/taskDefinition:TaskDefinition", name="shop-task")


def allowed(max_cpu: int = 16384, max_memory: int = 122880) -> AllowedSetting:
    """A workload's permission."""
    return AllowedSetting(
        setting="ecs.task_size", resource=TASK, max_cpu=max_cpu, max_memory=max_memory
    )


def step(cpu: str, memory: str, wanted: int | None = None) -> Change:
    """The change from this size."""
    return resize(allowed(), {"cpu": cpu, "memory": memory}, "own_cpu", wanted)


@pytest.mark.parametrize(
    ("cpu", "memory", "after"),
    [
        ("256", "512", ("512", "1024")),
        ("256", "2048", ("512", "2048")),
        ("512", "1024", ("1024", "2048")),
        ("512", "3072", ("1024", "3072")),
        ("1024", "8192", ("2048", "8192")),
        ("2048", "16384", ("4096", "16384")),
        ("4096", "30720", ("8192", "32768")),
        ("8192", "61440", ("16384", "65536")),
    ],
)
def test_memory_moves_along_to_a_legal_pair(cpu: str, memory: str, after: tuple[str, str]) -> None:
    """The next CPU with the smallest legal memory that is not less than now."""
    values = {m.property: m.after for m in step(cpu, memory).moves}
    assert (values["cpu"], values.get("memory", memory)) == after


def test_memory_stays_where_it_is_legal() -> None:
    """No companion moves that need not."""
    assert step("512", "2048").companions == ()


def test_a_wanted_size_is_taken_if_it_is_larger() -> None:
    """A reasoner may name the CPU."""
    assert step("512", "1024", 4096).words() == ("shop-task: cpu 512 -> 4096, memory 1024 -> 8192")
    for smaller in (256, 512, 700):
        with pytest.raises(Abstained, match="Fargate has no"):
            step("512", "1024", smaller)


@pytest.mark.parametrize(
    ("cpu", "memory", "said"),
    [
        ("1024", "1024", "no size Fargate has"),  # what the workshop prints as its fix
        ("0.5 vCPU", "1024", "only plain numbers"),
        ("512", "1GB", "only plain numbers"),
        ("16384", "122880", "Fargate has no"),
    ],
)
def test_law_4_what_is_not_understood_is_left_alone(cpu: str, memory: str, said: str) -> None:
    """Odd sizes and the largest one are handed over, not changed."""
    with pytest.raises(Abstained, match=said):
        step(cpu, memory)


def test_the_workloads_limit_holds() -> None:
    """Over max_cpu or max_memory is said with the numbers to change."""
    for limit in (allowed(max_cpu=512), allowed(max_memory=1024)):
        with pytest.raises(Abstained, match="1024 CPU units with 2048 MiB, is above"):
            resize(limit, {"cpu": "512", "memory": "1024"}, "own_cpu")


def test_a_change_is_held_against_the_limits_of_today() -> None:
    """A limit lowered after the proposal, or another resource, does not allow it."""
    change = step("512", "1024")
    assert allows(allowed(1024, 2048), change)
    assert not allows(allowed(max_cpu=512), change)
    assert not allows(allowed(max_memory=1024), change)
    other = allowed().model_copy(update={"resource": Resource(type=TASK.type, name="other")})
    assert not allows(other, change)


def test_law_3_a_setting_changes_its_own_properties_only() -> None:
    """Whatever else a change says it would move is not what the workload allows."""
    change = step("512", "1024")
    other = Move(property="pidMode", before="0", after="1")
    assert not allows(allowed(1024, 2048), change.model_copy(update={"move": other}))
    more = (*change.companions, other)
    assert not allows(allowed(1024, 2048), change.model_copy(update={"companions": more}))


def test_every_size_has_a_larger_one_that_is_legal() -> None:
    """The whole table is connected: every pair has a legal successor but the largest CPU's."""
    for cpu, memories in FARGATE.items():
        for memory in memories:
            found = list(sizes_above(cpu, memory))
            assert all(legal(*size) for size in found)
            assert bool(found) == (cpu != max(FARGATE))


def test_a_change_has_an_inverse() -> None:
    """Undoing twice is the change itself."""
    change = step("512", "1024")
    assert change.inverse().words() == "shop-task: cpu 1024 -> 512, memory 2048 -> 1024"
    assert change.inverse().inverse() == change


def test_rows_cure_only_what_they_can() -> None:
    """A larger task cures a lack of CPU and nothing else."""
    assert CATALOGUE["ecs.task_size"].cures == {"own_cpu"}
