from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from backburn.adapters.cloudwatch import CloudWatch
from backburn.evidence import Kind
from backburn.ports import Metrics
from backburn.sli import Window
from backburn.workload import EcsService
from tests.fakes.metrics import FakeMetrics

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
HOUR = Window(start=START, end=START + timedelta(hours=1))
SERVICE = EcsService(cluster="otel-ai-chatbot-dev", service="otel-ai-chatbot-dev")
NAMES = {Kind.CPU: "CPUUtilization", Kind.MEMORY: "MemoryUtilization"}

Publish = Callable[[Kind, Window, float, int], Metrics]


def _fake() -> Publish:
    metrics = FakeMetrics()

    def publish(kind: Kind, window: Window, percent: float, every: int) -> Metrics:
        metrics.publish(kind, window, percent, every)
        return metrics

    return publish


def _cloudwatch() -> Publish:
    client = boto3.client("cloudwatch", region_name="us-east-1")
    dimensions = [
        {"Name": "ClusterName", "Value": SERVICE.cluster},
        {"Name": "ServiceName", "Value": SERVICE.service},
    ]

    def publish(kind: Kind, window: Window, percent: float, every: int) -> Metrics:
        at = window.start
        while at < window.end:
            datum = {"MetricName": NAMES[kind], "Dimensions": dimensions, "Timestamp": at}
            datum |= {"Value": percent, "Unit": "Percent"}
            client.put_metric_data(Namespace="AWS/ECS", MetricData=[datum])  # type: ignore[list-item]
            at += timedelta(seconds=every)
        return CloudWatch(client)

    return publish


@pytest.fixture(params=["fake", "cloudwatch"])
def publish(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Put readings of the service where the metrics look for them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield {"fake": _fake, "cloudwatch": _cloudwatch}[request.param]()


class TestMetrics:
    """What every Metrics does."""

    def test_gives_readings_in_order_of_time(self, publish: Publish) -> None:
        """One a minute over an hour."""
        found = publish(Kind.CPU, HOUR, 85.5, 60).readings(SERVICE, Kind.CPU, HOUR)
        assert len(found) == 60
        assert {85.5} == {r.mean for r in found} | {r.highest for r in found}
        assert [START, START + timedelta(minutes=59)] == [found[0].at, found[-1].at]

    def test_gives_finer_readings_of_a_short_window(self, publish: Publish) -> None:
        """A publisher of every ten seconds is read every ten seconds."""
        minute = Window(start=START, end=START + timedelta(seconds=60))
        metrics = publish(Kind.CPU, HOUR, 40, 10)
        assert len(metrics.readings(SERVICE, Kind.CPU, minute)) == 6

    def test_keeps_cpu_and_memory_apart(self, publish: Publish) -> None:
        """Each by its own name."""
        assert publish(Kind.MEMORY, HOUR, 30, 600).readings(SERVICE, Kind.CPU, HOUR) == ()

    def test_gives_nothing_where_nothing_was_published(self, publish: Publish) -> None:
        """An earlier hour is empty, not zero."""
        metrics = publish(Kind.CPU, HOUR, 40, 60)
        earlier = Window(start=START - timedelta(hours=1), end=START)
        assert metrics.readings(SERVICE, Kind.CPU, earlier) == ()
