"""How ECS rolls a service over: which tasks to start and stop next, and when it is done.

Pure: values in, a decision out. The rules are those of ECS's rolling update with its circuit
breaker (developer guide, "Amazon ECS deployment circuit breaker").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A task that was asked for and has not ended."""

    id: str
    deployment: str
    healthy: bool
    stopping: bool  # it drains: no longer part of the service's capacity


@dataclass(frozen=True)
class Service:
    """What the service wants, and the deployment that is to be the only one."""

    desired: int
    primary: str
    minimum_percent: int = 100
    maximum_percent: int = 200
    failed: bool = False  # the circuit breaker gave the primary up: start no more of it


@dataclass(frozen=True)
class Decision:
    """The next step towards what the service wants."""

    start: int  # tasks of the primary deployment
    stop: tuple[str, ...]


def decide(service: Service, tasks: Sequence[Task]) -> Decision:
    """Start up to the maximum, stop old tasks only while enough healthy ones remain."""
    live = [task for task in tasks if not task.stopping]
    new = [task for task in live if task.deployment == service.primary]
    old = [task for task in live if task.deployment != service.primary]
    ceiling = max(service.desired * service.maximum_percent // 100, min(service.desired, 1))
    floor = -(-service.desired * service.minimum_percent // 100)

    missing = 0 if service.failed else service.desired - len(new)
    start = max(0, min(missing, ceiling - len(live)))

    spare = sum(task.healthy for task in live) - floor
    stop: list[str] = []
    # Broken tasks go first; then healthy ones of older deployments, as far as the floor allows.
    for task in sorted(old, key=lambda task: task.healthy):
        if service.failed and task.healthy:
            continue  # what still serves stays when the new revision was given up
        if not task.healthy or spare > 0:
            stop.append(task.id)
            spare -= task.healthy
    surplus = len(new) - service.desired
    stop += [task.id for task in sorted(new, key=lambda task: task.healthy)[: max(0, surplus)]]
    return Decision(start, tuple(stop))


def steady(service: Service, tasks: Sequence[Task]) -> bool:
    """Whether the primary deployment is all there is, and healthy."""
    if any(task.deployment != service.primary for task in tasks):
        return False
    return sum(task.healthy and not task.stopping for task in tasks) == service.desired


def failure_threshold(desired: int) -> int:
    """After how many failed tasks the circuit breaker gives a deployment up."""
    return min(max(3, -(-desired // 2)), 200)


def restart_delay(failures: int) -> float:
    """Seconds until the next start after so many failures in a row."""
    return float(min(2 ** max(0, failures - 1) - 1, 30))
