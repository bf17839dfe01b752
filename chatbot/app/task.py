"""The ECS task this process runs in: its size and its revision."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

METADATA = "ECS_CONTAINER_METADATA_URI_V4"
UNITS_PER_VCPU = 1024
UNITS_PER_WORKER = 64
FEWEST_WORKERS = 2


@dataclass(frozen=True)
class Task:
    """What the metadata endpoint says of the task."""

    cpu_units: int = 512
    family: str = "otel-ai-chatbot-app"
    revision: str = "0"

    @property
    def workers(self) -> int:
        """How many requests it works on at once: a larger task lets more into the model."""
        return max(FEWEST_WORKERS, self.cpu_units // UNITS_PER_WORKER)

    @property
    def processors(self) -> int:
        """How many processors it can keep busy."""
        return max(1, self.cpu_units // UNITS_PER_VCPU)


def describe(env: Mapping[str, str]) -> Task:
    """The task by its metadata endpoint; outside ECS by TASK_CPU, TASK_FAMILY, TASK_REVISION."""
    if not env.get(METADATA):
        return Task(
            cpu_units=int(env.get("TASK_CPU", Task.cpu_units)),
            family=env.get("TASK_FAMILY", Task.family),
            revision=env.get("TASK_REVISION", Task.revision),
        )
    # The agent serves it over plain HTTP at a link-local address.
    with urllib.request.urlopen(f"{env[METADATA]}/task", timeout=5) as answer:  # noqa: S310
        told = json.load(answer)
    return Task(
        # Limits.CPU is in vCPU; a task on EC2 may have none.
        cpu_units=round(float(told.get("Limits", {}).get("CPU", 0.5)) * UNITS_PER_VCPU),
        family=str(told["Family"]),
        revision=str(told["Revision"]),
    )
