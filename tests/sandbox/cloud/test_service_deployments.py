"""The record of a service's rollouts, from beginning to each possible end."""

from __future__ import annotations

from typing import Any

from sandbox.cloud import service_deployments as rollouts

ARN = "arn:aws:ecs:us-east-1:000000000000:service/cluster/service"


def service(**breaker: bool) -> dict[str, Any]:
    """A service as ministack keeps it."""
    return {
        "serviceArn": ARN,
        "clusterArn": "arn:aws:ecs:us-east-1:000000000000:cluster/cluster",
        "taskDefinition": "app:1",
        "deploymentConfiguration": {"deploymentCircuitBreaker": breaker},
    }


def newest(of: dict[str, Any]) -> dict[str, Any]:
    """Its newest rollout."""
    found = rollouts.latest(of)
    assert found is not None
    return found


def test_a_rollout_that_succeeds() -> None:
    """PENDING, IN_PROGRESS with the first task, SUCCESSFUL when the service is steady."""
    s = service(enable=True, rollback=True)
    rollouts.begin(s, "one", 3, now=1)
    assert newest(s)["status"] == "PENDING"
    rollouts.under_way(s, now=2)
    rollouts.count(
        s,
        [{"id": "one", "desiredCount": 2, "runningCount": 1, "pendingCount": 1}],
        failures=1,
        now=3,
    )
    assert newest(s)["targetServiceRevision"]["runningTaskCount"] == 1
    assert newest(s)["deploymentCircuitBreaker"]["failureCount"] == 1
    rollouts.finish(s, now=4)
    ended = newest(s)
    assert (ended["status"], ended["startedAt"], ended["finishedAt"]) == ("SUCCESSFUL", 2, 4)
    assert ended["deploymentCircuitBreaker"]["status"] == "MONITORING_COMPLETE"
    assert ended["serviceDeploymentArn"].startswith(
        ARN.replace(":service/", ":service-deployment/")
    )


def test_a_newer_rollout_stops_the_one_under_way() -> None:
    """Only the newest goes on, and it starts from the last revision that succeeded."""
    s = service()
    rollouts.begin(s, "one", 3, now=1)
    rollouts.finish(s, now=2)
    serving = newest(s)["targetServiceRevision"]["arn"]
    rollouts.begin(s, "two", 3, now=3)
    rollouts.begin(s, "three", 3, now=4)
    statuses = [d["status"] for d in rollouts.listed(s, {})["serviceDeployments"]]
    assert statuses == ["PENDING", "STOPPED", "SUCCESSFUL"]
    assert [r["arn"] for r in newest(s)["sourceServiceRevisions"]] == [serving]


def test_a_rollout_that_is_rolled_back() -> None:
    """ROLLBACK_IN_PROGRESS names the revision gone back to; then ROLLBACK_SUCCESSFUL."""
    s = service(enable=True, rollback=True)
    rollouts.begin(s, "one", 3, now=1)
    rollouts.finish(s, now=2)
    good = newest(s)["targetServiceRevision"]["arn"]
    rollouts.begin(s, "two", 3, now=3)
    rollouts.give_up(s, "tasks failed to start", roll_back=True, now=4)
    assert newest(s)["status"] == "ROLLBACK_IN_PROGRESS"
    assert newest(s)["rollback"]["serviceRevisionArn"] == good
    rollouts.finish(s, now=5)
    assert newest(s)["status"] == "ROLLBACK_SUCCESSFUL"


def test_a_rollout_given_up_without_a_way_back() -> None:
    """It ends STOPPED, with the breaker's reason."""
    s = service(enable=True)
    rollouts.begin(s, "one", 3, now=1)
    rollouts.give_up(s, "tasks failed to start", roll_back=False, now=2)
    assert (newest(s)["status"], newest(s)["statusReason"]) == ("STOPPED", "tasks failed to start")


def test_the_list_comes_in_pages_and_by_status() -> None:
    """As the API's parameters ask."""
    s = service()
    for n in range(3):
        rollouts.begin(s, str(n), 3, now=n)
    first = rollouts.listed(s, {"maxResults": 2})
    rest = rollouts.listed(s, {"maxResults": 2, "nextToken": first["nextToken"]})
    assert [len(page["serviceDeployments"]) for page in (first, rest)] == [2, 1]
    assert "nextToken" not in rest
    assert len(rollouts.listed(s, {"status": ["STOPPED"]})["serviceDeployments"]) == 2
    assert len(rollouts.listed(s, {"createdAt": {"after": 2}})["serviceDeployments"]) == 1
