"""What ECS publishes to CloudWatch: CPU and memory of a service, in percent of its tasks' size."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from .task import Task

_NAMESPACE = "AWS/ECS"
_MIB = 2**20


class Usage:
    """Measures between two looks and publishes the service's average."""

    def __init__(self, cloudwatch: Any, cluster: str, service: str) -> None:
        self._cloudwatch = cloudwatch
        self._dimensions = [
            {"Name": "ClusterName", "Value": cluster},
            {"Name": "ServiceName", "Value": service},
        ]
        self._before: dict[str, tuple[float, float]] = {}  # when, and CPU seconds so far

    def publish(self, tasks: Iterable[Task]) -> None:
        """Publish both metrics for the time since the last call."""
        serving = [task for task in tasks if task.status == "RUNNING"]
        cpu = [share for task in serving if (share := self._cpu(task)) is not None]
        memory = [100 * task.memory() / (int(task.definition["memory"]) * _MIB) for task in serving]
        data = [
            {
                "MetricName": name,
                "Dimensions": self._dimensions,
                "Timestamp": datetime.now(UTC),
                "StatisticValues": {
                    "SampleCount": len(values),
                    "Sum": sum(values),
                    "Minimum": min(values),
                    "Maximum": max(values),
                },
                "Unit": "Percent",
            }
            for name, values in (("CPUUtilization", cpu), ("MemoryUtilization", memory))
            if values
        ]
        if data:
            self._cloudwatch.put_metric_data(Namespace=_NAMESPACE, MetricData=data)

    def _cpu(self, task: Task) -> float | None:
        if task.fence is None:
            return None
        now, used = time.monotonic(), task.fence.cpu_seconds()
        then, before = self._before.get(task.arn, (now, used))
        self._before[task.arn] = (now, used)
        if now == then:
            return None
        return 100 * (used - before) / (now - then) / (task.units / 1024)
