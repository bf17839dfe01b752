"""The Fargate runner and ECS's view of it: rollovers, the circuit breaker, tasks, metrics."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.processes import Processes
from tests.sandbox.cloud.world import Cloud, definition, eventually, run_tasks, serve

SERVICE = {"cluster": "cluster", "service": "service"}


@pytest.fixture(scope="module")
def balancer(cloud: Cloud, processes: Processes, tmp_path_factory: Any) -> Iterator[str]:
    """The address of a service that is already steady on its first revision."""
    serve(cloud, **SERVICE, taskDefinition=definition(cloud))
    part = run_tasks(processes, cloud, tmp_path_factory.mktemp("tasks"), **SERVICE)
    url = part.url()
    settled(cloud)
    yield url
    processes.stop("fargate service")


def service(cloud: Cloud) -> dict[str, Any]:
    """What ECS says of the service."""
    found = cloud("ecs").describe_services(cluster="cluster", services=["service"])
    described: dict[str, Any] = found["services"][0]
    return described


def deployment(cloud: Cloud) -> dict[str, Any]:
    """What ECS says of the newest service deployment."""
    newest = cloud("ecs").list_service_deployments(**SERVICE)["serviceDeployments"][0]
    found = cloud("ecs").describe_service_deployments(
        serviceDeploymentArns=[newest["serviceDeploymentArn"]]
    )
    described: dict[str, Any] = found["serviceDeployments"][0]
    return described


def settled(cloud: Cloud) -> dict[str, Any]:
    """The service once its newest rollout has ended."""
    eventually(lambda: deployment(cloud), lambda d: "finishedAt" in d)
    return eventually(lambda: service(cloud), lambda s: len(s["deployments"]) == 1)


@contextmanager
def requests(url: str) -> Iterator[Counter[object]]:
    """A stream of requests, slow ones among them; what was answered, by revision."""
    answers: Counter[object] = Counter()
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=30) as client:
            while not over.is_set():
                try:
                    response = client.get(f"{url}/{'slow' if answers.total() % 4 == 0 else ''}")
                    answers[response.json()["revision"] if response.is_success else response] += 1
                except (httpx.HTTPError, ValueError) as error:
                    answers[repr(error)] += 1
                time.sleep(0.05)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    yield answers
    over.set()
    for thread in threads:
        thread.join()


def test_a_rollover_drops_no_request(cloud: Cloud, balancer: str) -> None:
    """New tasks are healthy before old ones drain, and what is under way is finished."""
    old, new = service(cloud)["taskDefinition"], definition(cloud, cpu="512")
    with requests(balancer) as answers:
        eventually(answers.total, lambda n: n > 10)
        cloud("ecs").update_service(**SERVICE, taskDefinition=new)
        assert service(cloud)["deployments"][0]["rolloutState"] == "IN_PROGRESS"
        assert deployment(cloud)["status"] in ("PENDING", "IN_PROGRESS")
        settled(cloud)
        reached = answers.total()
        eventually(answers.total, lambda n: n > reached + 10)
    assert set(answers) == {old.rsplit(":", 1)[-1], new.rsplit(":", 1)[-1]}


def test_ecs_says_what_was_rolled_out(cloud: Cloud, balancer: str) -> None:
    """A finished rollout is SUCCESSFUL on its own revision, and there is no other deployment."""
    new = definition(cloud, cpu="512")
    cloud("ecs").update_service(**SERVICE, taskDefinition=new)
    after = settled(cloud)
    (primary,) = after["deployments"]
    assert (primary["status"], primary["rolloutState"]) == ("PRIMARY", "COMPLETED")
    assert (after["runningCount"], after["taskDefinition"]) == (1, new)
    newest = deployment(cloud)
    assert newest["status"] == "SUCCESSFUL"
    assert newest["startedAt"] <= newest["finishedAt"]
    revision = newest["targetServiceRevision"]["arn"]
    found = cloud("ecs").describe_service_revisions(serviceRevisionArns=[revision])
    assert [r["taskDefinition"] for r in found["serviceRevisions"]] == [new]
    assert httpx.get(balancer).json() == {
        "revision": new.rsplit(":", 1)[-1],
        "family": "app",
        "cpu": 0.5,
        "secret": "hush",
        "image": "app",
    }


@pytest.mark.parametrize("broken", [{"HEALTH": "dead"}, {"HEALTH": "sick"}, {"image": "none:1"}])
def test_the_circuit_breaker_rolls_back(
    cloud: Cloud, balancer: str, broken: dict[str, Any]
) -> None:
    """Tasks that die, are never healthy or cannot be pulled bring the last good revision back."""
    good = settled(cloud)["taskDefinition"]
    with requests(balancer) as answers:
        cloud("ecs").update_service(**SERVICE, taskDefinition=definition(cloud, **broken))
        after = settled(cloud)
    assert after["taskDefinition"] == good
    newest = deployment(cloud)
    assert newest["status"] == "ROLLBACK_SUCCESSFUL"
    assert newest["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert set(answers) <= {good.rsplit(":", 1)[-1]}


def test_a_stopped_task_is_replaced(cloud: Cloud, balancer: str) -> None:
    """StopTask ends the process; the service gets another one without a new deployment."""
    before = deployment(cloud)["serviceDeploymentArn"]
    (stopped,) = cloud("ecs").list_tasks(cluster="cluster", serviceName="service")["taskArns"]
    cloud("ecs").stop_task(cluster="cluster", task=stopped)
    tasks = eventually(
        lambda: cloud("ecs").list_tasks(cluster="cluster", serviceName="service")["taskArns"],
        lambda arns: arns not in ([], [stopped]),
    )
    eventually(lambda: httpx.get(balancer).status_code, lambda status: status == 200)
    described = cloud("ecs").describe_tasks(cluster="cluster", tasks=tasks)["tasks"]
    assert [task["desiredStatus"] for task in described] == ["RUNNING"]
    assert deployment(cloud)["serviceDeploymentArn"] == before


def test_usage_is_published(cloud: Cloud, balancer: str) -> None:
    """CPU and memory stand in CloudWatch, in percent of the task's size."""
    assert httpx.get(balancer).is_success

    def values() -> list[float]:
        now = datetime.now(UTC)
        metric = {
            "Namespace": "AWS/ECS",
            "MetricName": "CPUUtilization",
            "Dimensions": [
                {"Name": "ClusterName", "Value": "cluster"},
                {"Name": "ServiceName", "Value": "service"},
            ],
        }
        stat = {"Metric": metric, "Period": 10, "Stat": "Average"}
        found = cloud("cloudwatch").get_metric_data(
            StartTime=now - timedelta(minutes=1),
            EndTime=now + timedelta(seconds=10),
            MetricDataQueries=[{"Id": "cpu", "MetricStat": stat}],
        )
        return list(found["MetricDataResults"][0]["Values"])

    assert all(0 <= value <= 150 for value in eventually(values, bool))


def test_fargate_refuses_other_sizes(cloud: Cloud) -> None:
    """The pair of CPU and memory is checked when the task definition is registered."""
    with pytest.raises(cloud("ecs").exceptions.ClientException, match="300 CPU, 600 memory"):
        definition(cloud, cpu="300")


def test_a_deleted_service_ends_its_tasks(cloud: Cloud, balancer: str) -> None:
    """DRAINING until the last process has ended, then INACTIVE and 503."""
    cloud("ecs").delete_service(cluster="cluster", service="service", force=True)
    assert service(cloud)["status"] == "DRAINING"
    eventually(lambda: service(cloud)["status"], lambda status: status == "INACTIVE")
    assert service(cloud)["status"] == "INACTIVE"
    assert httpx.get(balancer).status_code == 503
