"""What a change costs, or that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from backburn.catalogue import resize
from backburn.checkpoint import read
from backburn.cost import fargate_month, of
from tests.unit.test_catalogue import TASK, allowed

CHANGE = resize(allowed(), {"cpu": "512", "memory": "1024"}, "own_cpu")
ARN = "arn:aws:ecs:us-east-1:000000000000:task-definition/shop:1"


def state(task: dict[str, Any], *services: dict[str, Any], arn: str = ARN) -> Any:
    """A checkpoint with the task definition and these services."""
    urns = f"urn:pulumi:dev::shop::{TASK.type}::{TASK.name}"
    resources = [{"urn": urns, "inputs": task, "outputs": {"arn": arn}}] + [
        {"urn": f"urn:pulumi:dev::shop::aws:ecs/service:Service::s{i}", "inputs": service}
        for i, service in enumerate(services)
    ]
    return read({"version": 3, "deployment": {"resources": resources}})


SIZE = {"cpu": "512", "memory": "1024"}
ARM = SIZE | {"runtimePlatform": {"cpuArchitecture": "ARM64"}}
RUNS = {"taskDefinition": ARN, "desiredCount": 2}


def test_a_month_is_counted_from_the_state() -> None:
    """Two x86 tasks of half a vCPU and a GiB, and their double."""
    cost = of(CHANGE, state(SIZE, RUNS))
    assert (cost.before, cost.after) == (3604, 7208)
    assert cost.words().startswith("$36.04 -> $72.08 a month (+$36.04; 2 tasks, X86_64")
    assert "aws.amazon.com/fargate/pricing" in cost.words()


def test_arm_is_cheaper() -> None:
    """The architecture is read from the task definition."""
    assert of(CHANGE, state(ARM, RUNS)).before == 2884


def test_smaller_costs_less() -> None:
    """The way back is said with a minus."""
    bigger = {"cpu": "1024", "memory": "2048"}
    assert "(-$36.04;" in of(CHANGE.inverse(), state(bigger, RUNS)).words()


@pytest.mark.parametrize(
    "found",
    [
        state(SIZE),
        state(SIZE, RUNS, RUNS),
        state(SIZE, {"taskDefinition": ARN}),
        state(SIZE, RUNS, arn="arn:aws:ecs:eu-north-1:0:task-definition/shop:1"),
        state(SIZE, RUNS, arn="odd"),
        state({"cpu": "1 vCPU", "memory": "1024"}, RUNS),
        read({"version": 3, "deployment": {}}),
    ],
)
def test_what_is_unknown_is_said_so(found: Any) -> None:
    """No service or several, no count, no price or no region: no number."""
    assert of(CHANGE, found).words().startswith("unknown (")


def test_a_month_of_nothing_known_is_none() -> None:
    """No guess."""
    assert fargate_month(512, 1024, None, "us-east-1", "ARM64") is None
