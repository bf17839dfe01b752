"""ECS: what a service runs, and how its newest rollouts stand."""

from __future__ import annotations

from typing import Any

from backburn.rollout import Deployment, Look, Primary

NEWEST = 10  # of the service's deployments; one of ours is among the last few


class EcsRollouts:
    """A service looked at through DescribeServices and DescribeServiceDeployments."""

    def __init__(self, ecs: Any) -> None:
        self._ecs = ecs

    def look(self, cluster: str, service: str) -> Look:
        """The primary deployment and the newest service deployments."""
        found = self._ecs.describe_services(cluster=cluster, services=[service])["services"]
        active = [s for s in found if s.get("status") == "ACTIVE"]
        return Look(
            primary=_primary(active[0]["deployments"]) if active else None,
            deployments=self._deployments(cluster, service),
        )

    def _deployments(self, cluster: str, service: str) -> tuple[Deployment, ...]:
        briefs = self._ecs.list_service_deployments(
            cluster=cluster, service=service, maxResults=NEWEST
        )["serviceDeployments"]
        arns = [b["serviceDeploymentArn"] for b in briefs]
        if not arns:
            return ()
        told = self._ecs.describe_service_deployments(serviceDeploymentArns=arns)
        newest = sorted(
            told["serviceDeployments"], key=lambda d: str(d.get("createdAt", "")), reverse=True
        )
        revisions = self._task_definitions(
            sorted({d["targetServiceRevision"]["arn"] for d in newest})
        )
        return tuple(
            Deployment(
                status=d["status"],
                task_definition=revisions.get(d["targetServiceRevision"]["arn"], ""),
                started=d.get("startedAt"),
                finished=d.get("finishedAt"),
                reason=d.get("statusReason", ""),
            )
            for d in newest
        )

    def _task_definitions(self, revisions: list[str]) -> dict[str, str]:
        told = self._ecs.describe_service_revisions(serviceRevisionArns=revisions)
        return {r["serviceRevisionArn"]: r["taskDefinition"] for r in told["serviceRevisions"]}


def _primary(deployments: list[dict[str, Any]]) -> Primary | None:
    primary = [d for d in deployments if d["status"] == "PRIMARY"]
    if len(primary) != 1:
        return None
    only = primary[0]
    return Primary(
        task_definition=only["taskDefinition"],
        rollout=only.get("rolloutState", "COMPLETED"),
        desired=only["desiredCount"],
        running=only["runningCount"],
        others=len(deployments) - 1,
    )
