"""Amazon ECS: cluster, task definition, service."""

# ruff: noqa: ARG002  (every type has the signatures of Resource)

from __future__ import annotations

import json
from typing import Any, ClassVar

from .difference import Inputs
from .resource import Resource, State, aws, dropped, pick, tag_list, tag_map


def _retag(arn: str, inputs: Inputs, old: State) -> None:
    if gone := dropped(inputs, old):
        aws("ecs").untag_resource(resourceArn=arn, tagKeys=gone)
    if inputs.get("tags"):
        aws("ecs").tag_resource(resourceArn=arn, tags=tag_list(inputs["tags"]))


class Cluster(Resource):
    """aws:ecs/cluster:Cluster. ForceNew in ecs/cluster.go: name."""

    unordered: ClassVar = frozenset({"settings"})

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Create the cluster; its id is its ARN."""
        cluster = aws("ecs").create_cluster(
            clusterName=inputs["name"],
            tags=tag_list(inputs.get("tags")),
            **pick(inputs, "settings"),
        )["cluster"]
        return cluster["clusterArn"], {"arn": cluster["clusterArn"]}

    def read(self, identity: str, state: State) -> State | None:
        """An INACTIVE cluster is a deleted one."""
        found = aws("ecs").describe_clusters(clusters=[identity], include=["SETTINGS", "TAGS"])
        for cluster in found["clusters"]:
            if cluster["status"] == "ACTIVE":
                return {
                    "arn": cluster["clusterArn"],
                    "name": cluster["clusterName"],
                    "settings": cluster.get("settings") or None,
                    "tags": tag_map(cluster.get("tags", [])),
                }
        return None

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Settings and tags change in place."""
        if "settings" in changed:
            aws("ecs").update_cluster(cluster=identity, settings=inputs.get("settings") or [])
        if "tags" in changed:
            _retag(identity, inputs, old)

    def delete(self, identity: str, state: State) -> None:
        """Refused by the service while it has services."""
        aws("ecs").delete_cluster(cluster=identity)


class TaskDefinition(Resource):
    """aws:ecs/taskDefinition:TaskDefinition. In ecs/task_definition.go all but these is ForceNew.

    A revision never changes, so a read need only tell whether it is still registered.
    """

    auto_name = None
    required: ClassVar = ("family", "containerDefinitions")
    documents: ClassVar = frozenset({"containerDefinitions"})
    unordered: ClassVar = frozenset({"requiresCompatibilities", "volumes"})
    computed: ClassVar = ("arn", "arnWithoutRevision", "revision")
    defaults: ClassVar = {"skipDestroy": False, "trackLatest": False}
    in_place: ClassVar = frozenset({"tags", "skipDestroy", "trackLatest"})

    def replaces_on(self, name: str) -> bool:
        """Everything that is part of the revision."""
        return name not in self.in_place

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Register a revision; its id is the family."""
        task = aws("ecs").register_task_definition(
            containerDefinitions=json.loads(inputs["containerDefinitions"]),
            tags=tag_list(inputs.get("tags")),
            **pick(
                inputs,
                "family",
                "cpu",
                "memory",
                "networkMode",
                "requiresCompatibilities",
                "executionRoleArn",
                "taskRoleArn",
                "runtimePlatform",
                "ephemeralStorage",
                "pidMode",
                "ipcMode",
                "volumes",
            ),
        )["taskDefinition"]
        return task["family"], self._outputs(task)

    def read(self, identity: str, state: State) -> State | None:
        """A deregistered (INACTIVE) revision is gone."""
        found = aws("ecs").describe_task_definition(
            taskDefinition=state.get("arn") or identity, include=["TAGS"]
        )
        task = found["taskDefinition"]
        if task["status"] != "ACTIVE":
            return None
        return (
            pick(task, "family", "cpu", "memory", "networkMode")
            | {"tags": tag_map(found.get("tags", []))}
            | self._outputs(task)
        )

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Tags; the other two are the provider's own."""
        if "tags" in changed:
            _retag(old["arn"], inputs, old)

    def delete(self, identity: str, state: State) -> None:
        """Deregister, unless the program keeps revisions."""
        if not state.get("skipDestroy"):
            aws("ecs").deregister_task_definition(taskDefinition=state["arn"])

    def _outputs(self, task: dict[str, Any]) -> State:
        arn = task["taskDefinitionArn"]
        return {
            "arn": arn,
            "arnWithoutRevision": arn.rsplit(":", 1)[0],
            "revision": task["revision"],
        }


class Service(Resource):
    """aws:ecs/service:Service. ForceNew in ecs/service.go as in `replaces`."""

    replaces: ClassVar = frozenset(
        {"name", "cluster", "deploymentController", "iamRole", "launchType", "schedulingStrategy"}
    )
    defaults: ClassVar = {
        "deploymentMaximumPercent": 200,
        "deploymentMinimumHealthyPercent": 100,
        "enableEcsManagedTags": False,
        "enableExecuteCommand": False,
        "schedulingStrategy": "REPLICA",
        "waitForSteadyState": False,
    }
    unordered: ClassVar = frozenset(
        {
            "loadBalancers",
            "networkConfiguration.subnets",
            "networkConfiguration.securityGroups",
            "placementConstraints",
        }
    )
    same_name: ClassVar = (
        "taskDefinition",
        "desiredCount",
        "loadBalancers",
        "platformVersion",
        "healthCheckGracePeriodSeconds",
        "enableExecuteCommand",
        "propagateTags",
        "placementConstraints",
    )
    deployment: ClassVar = {
        "deploymentMaximumPercent": "maximumPercent",
        "deploymentMinimumHealthyPercent": "minimumHealthyPercent",
        "deploymentCircuitBreaker": "deploymentCircuitBreaker",
    }

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Create the service and return at once; its id is its ARN."""
        service = aws("ecs").create_service(
            serviceName=inputs["name"],
            tags=tag_list(inputs.get("tags")),
            **pick(inputs, "cluster", "launchType", "schedulingStrategy", "deploymentController"),
            **pick(inputs, role="iamRole"),
            **self._settings(inputs, frozenset(inputs)),
        )["service"]
        return service["serviceArn"], {"arn": service["serviceArn"]}

    def read(self, identity: str, state: State) -> State | None:
        """What is running now: another task definition or count than the program's is drift."""
        found = aws("ecs").describe_services(
            services=[identity], include=["TAGS"], **pick(state, "cluster")
        )
        for service in found["services"]:
            if service["status"] == "ACTIVE":
                return self._inputs(service)
        return None

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """One UpdateService with what changed; a new task definition starts a deployment."""
        settings = self._settings(inputs, changed)
        if settings or "forceNewDeployment" in changed:
            aws("ecs").update_service(
                service=identity, **pick(inputs, "cluster", "forceNewDeployment"), **settings
            )
        if "tags" in changed:
            _retag(identity, inputs, old)

    def delete(self, identity: str, state: State) -> None:
        """Stop its tasks first, as the real provider does."""
        cluster = pick(state, "cluster")
        aws("ecs").update_service(service=identity, desiredCount=0, **cluster)
        aws("ecs").delete_service(service=identity, force=True, **cluster)

    def _settings(self, inputs: Inputs, names: frozenset[str]) -> dict[str, Any]:
        settings = pick(inputs, *(name for name in self.same_name if name in names))
        deployment = pick(inputs, **{new: old for old, new in self.deployment.items()})
        if deployment and names & {*self.deployment}:
            settings["deploymentConfiguration"] = deployment
        network = inputs.get("networkConfiguration")
        if network and "networkConfiguration" in names:
            public = "ENABLED" if network.get("assignPublicIp") else "DISABLED"
            settings["networkConfiguration"] = {
                "awsvpcConfiguration": pick(network, "subnets", "securityGroups")
                | {"assignPublicIp": public}
            }
        return settings

    def _inputs(self, service: dict[str, Any]) -> State:
        deployment = service.get("deploymentConfiguration", {})
        network = service.get("networkConfiguration", {}).get("awsvpcConfiguration")
        return {
            **pick(service, *self.same_name),
            **pick(service, "launchType", "schedulingStrategy"),
            **pick(deployment, **self.deployment),
            "arn": service["serviceArn"],
            "name": service["serviceName"],
            "cluster": service["clusterArn"],
            "networkConfiguration": network
            and pick(network, "subnets", "securityGroups")
            | {"assignPublicIp": network.get("assignPublicIp") == "ENABLED"},
            "tags": tag_map(service.get("tags", [])),
        }
