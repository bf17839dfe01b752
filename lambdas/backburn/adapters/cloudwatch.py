"""Resource metrics from CloudWatch: what ECS publishes about a service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backburn.evidence import Kind, Reading
from backburn.sli import Window
from backburn.workload import EcsService

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricStatTypeDef, MetricTypeDef

_NAMES = {Kind.CPU: "CPUUtilization", Kind.MEMORY: "MemoryUtilization"}
# ECS publishes once a minute; a short window asks finer, for publishers that are.
_SHORT, _FINE, _MINUTE = 600, 10, 60


class CloudWatch:
    """Metrics of ECS services, over all their tasks together."""

    def __init__(self, client: CloudWatchClient) -> None:
        self._client = client

    def readings(self, service: EcsService, kind: Kind, window: Window) -> tuple[Reading, ...]:
        period = _FINE if window.seconds < _SHORT else _MINUTE
        metric: MetricTypeDef = {
            "Namespace": "AWS/ECS",
            "MetricName": _NAMES[kind],
            "Dimensions": [
                {"Name": "ClusterName", "Value": service.cluster},
                {"Name": "ServiceName", "Value": service.service},
            ],
        }
        pages = self._client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[
                {"Id": "mean", "MetricStat": _stat(metric, period, "Average")},
                {"Id": "highest", "MetricStat": _stat(metric, period, "Maximum")},
            ],
            StartTime=window.start,
            EndTime=window.end,
            ScanBy="TimestampAscending",
        )
        found: dict[str, dict[datetime, float]] = {"mean": {}, "highest": {}}
        for page in pages:
            for result in page["MetricDataResults"]:
                pairs = zip(result["Timestamps"], result["Values"], strict=True)
                found[result["Id"]].update({at.astimezone(UTC): value for at, value in pairs})
        return tuple(
            Reading(at=at, mean=mean, highest=found["highest"].get(at, mean))
            for at, mean in sorted(found["mean"].items())
        )


def _stat(metric: MetricTypeDef, period: int, stat: str) -> MetricStatTypeDef:
    return {"Metric": metric, "Period": period, "Stat": stat}
