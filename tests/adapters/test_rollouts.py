"""ECS as AwaitRollout looks at it; the stub holds answers and calls against ECS's own model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from backburn.adapters.ecs import EcsRollouts
from backburn.rollout import Look

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
ECS = "arn:aws:ecs:us-east-1:000000000000"
TASKS = [f"{ECS}:task-definition/shop:{n}" for n in (7, 8)]
REVISIONS = [f"{ECS}:service-revision/shop/shop/{n}" for n in (7, 8)]
DEPLOYMENTS = [f"{ECS}:service-deployment/shop/shop/{n}" for n in (7, 8)]


@pytest.fixture
def stub() -> Iterator[tuple[EcsRollouts, Stubber]]:
    """The adapter on a client that answers what the test says."""
    client = boto3.client(
        "ecs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        yield EcsRollouts(client), stubber
        stubber.assert_no_pending_responses()


def deployment(status: str, task: str, running: int) -> dict[str, Any]:
    """One of the service's own deployments."""
    return {
        "status": status,
        "taskDefinition": task,
        "rolloutState": "COMPLETED",
        "desiredCount": 2,
        "runningCount": running,
    }


def services(stubber: Stubber, *found: dict[str, Any]) -> None:
    """DescribeServices answers this."""
    asked = {"cluster": "shop", "services": ["shop"]}
    stubber.add_response("describe_services", {"services": list(found)}, asked)


def listed(stubber: Stubber, *arns: str) -> None:
    """ListServiceDeployments answers these."""
    asked = {"cluster": "shop", "service": "shop", "maxResults": 10}
    briefs = {"serviceDeployments": [{"serviceDeploymentArn": arn} for arn in arns]}
    stubber.add_response("list_service_deployments", briefs, asked)


def test_it_joins_what_ecs_tells_apart(stub: tuple[EcsRollouts, Stubber]) -> None:
    """Primary and others of the service; its deployments, newest first, by task definition."""
    rollouts, stubber = stub
    primary, old = deployment("PRIMARY", TASKS[1], 2), deployment("ACTIVE", TASKS[0], 1)
    services(stubber, {"status": "ACTIVE", "deployments": [primary, old]})
    listed(stubber, *DEPLOYMENTS)
    told = [
        {
            "serviceDeploymentArn": DEPLOYMENTS[0],
            "createdAt": AT.replace(hour=11),
            "status": "ROLLBACK_SUCCESSFUL",
            "statusReason": "tasks failed to start",
            "targetServiceRevision": {"arn": REVISIONS[0]},
        },
        {
            "serviceDeploymentArn": DEPLOYMENTS[1],
            "createdAt": AT,
            "startedAt": AT,
            "finishedAt": AT.replace(minute=3),
            "status": "SUCCESSFUL",
            "targetServiceRevision": {"arn": REVISIONS[1]},
        },
    ]
    stubber.add_response(
        "describe_service_deployments",
        {"serviceDeployments": told},
        {"serviceDeploymentArns": DEPLOYMENTS},
    )
    revisions = [
        {"serviceRevisionArn": r, "taskDefinition": t}
        for r, t in zip(REVISIONS, TASKS, strict=True)
    ]
    stubber.add_response(
        "describe_service_revisions",
        {"serviceRevisions": revisions},
        {"serviceRevisionArns": REVISIONS},
    )
    look = rollouts.look("shop", "shop")
    assert look.primary is not None
    assert (look.primary.task_definition, look.primary.others) == (TASKS[1], 1)
    newest, older = look.deployments
    assert (newest.status, newest.task_definition) == ("SUCCESSFUL", TASKS[1])
    assert newest.finished == AT.replace(minute=3)
    assert (older.status, older.reason) == ("ROLLBACK_SUCCESSFUL", "tasks failed to start")


@pytest.mark.parametrize("found", [[], [{"status": "INACTIVE", "deployments": []}]])
def test_a_service_that_is_gone_has_no_primary(
    stub: tuple[EcsRollouts, Stubber], found: list[dict[str, Any]]
) -> None:
    """Deleted or drained; nothing is asked about deployments that are none."""
    rollouts, stubber = stub
    services(stubber, *found)
    listed(stubber)
    assert rollouts.look("shop", "shop") == Look(primary=None, deployments=())


def test_no_primary_is_no_guess(stub: tuple[EcsRollouts, Stubber]) -> None:
    """Only ACTIVE ones, as between two deployments."""
    rollouts, stubber = stub
    found = {"status": "ACTIVE", "deployments": [deployment("ACTIVE", TASKS[0], 1)]}
    services(stubber, found)
    listed(stubber)
    assert rollouts.look("shop", "shop").primary is None
