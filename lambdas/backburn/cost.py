"""What a setting costs a month, from a dated table; `None` where the table does not know."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from pydantic import Field

from .change import Change
from .checkpoint import Checkpoint
from .workload import Model

ARN_PARTS = 5  # colons before the resource
HOURS = 730  # a month, as AWS's own calculator counts it
SOURCE = "aws.amazon.com/fargate/pricing, on demand, Linux, as of 2026-03"


class Rate(NamedTuple):
    """Dollars an hour."""

    vcpu: Decimal
    gb: Decimal


RATES = {
    ("us-east-1", "X86_64"): Rate(Decimal("0.04048"), Decimal("0.004445")),
    ("us-east-1", "ARM64"): Rate(Decimal("0.03238"), Decimal("0.00356")),
}


class Cost(Model):
    """A month before and after the change, in cents; None is unknown and is said so."""

    before: int | None
    after: int | None
    basis: str = Field(description="what was counted and where the prices are from")

    def words(self) -> str:
        """One line for people."""
        if self.before is None or self.after is None:
            return f"unknown ({self.basis})"
        more = self.after - self.before
        sign = "+" if more >= 0 else "-"
        return (
            f"{_dollars(self.before)} -> {_dollars(self.after)} a month "
            f"({sign}{_dollars(abs(more))}; {self.basis})"
        )


def of(change: Change, checkpoint: Checkpoint) -> Cost:
    """What the changed task definition's service costs, as the stack's state has it."""
    urn = checkpoint.urn(change.resource) or ""
    inputs, arn = checkpoint.resources.get(urn, {}), checkpoint.outputs.get(urn, {}).get("arn")
    platform = inputs.get("runtimePlatform") or {}
    architecture = platform.get("cpuArchitecture", "X86_64")  # ECS's own default
    region = arn.split(":")[3] if isinstance(arn, str) and arn.count(":") >= ARN_PARTS else None
    tasks = [
        i.get("desiredCount")
        for i in checkpoint.resources.values()
        if arn is not None and i.get("taskDefinition") == arn
    ]
    count = int(tasks[0]) if len(tasks) == 1 and isinstance(tasks[0], (int, float)) else None
    before = {"cpu": inputs.get("cpu"), "memory": inputs.get("memory")}
    after = before | {m.property: m.after for m in change.moves}
    months = [_month(size, count, region, architecture) for size in (before, after)]
    counted = "1 task" if count == 1 else f"{'unknown' if count is None else count} tasks"
    basis = f"{counted}, {architecture}, {region or 'unknown region'}; {SOURCE}"
    return Cost(before=months[0], after=months[1], basis=basis)


def _month(
    size: Mapping[str, Any], tasks: int | None, region: str | None, architecture: str
) -> int | None:
    cpu, memory = str(size["cpu"]), str(size["memory"])
    if not (cpu.isdigit() and memory.isdigit()):
        return None
    return fargate_month(int(cpu), int(memory), tasks, region, architecture)


def fargate_month(
    cpu: int, memory: int, tasks: int | None, region: str | None, architecture: str
) -> int | None:
    """Cents a month of that many tasks of that size; None if a part of it is unknown."""
    rate = RATES.get((region or "", architecture))
    if rate is None or tasks is None:
        return None
    hourly = Decimal(cpu) / 1024 * rate.vcpu + Decimal(memory) / 1024 * rate.gb
    return int((hourly * HOURS * tasks * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _dollars(cents: int) -> str:
    return f"${cents // 100}.{cents % 100:02d}"
