"""The provider's own judgement: what differs, what replaces, what Fargate refuses."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.pulumi.provider.defaults import NOTE, filled, plain
from sandbox.pulumi.provider.difference import differences
from sandbox.pulumi.provider.types import FUNCTIONS, RESOURCES


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", "UPDATE")]),
        ({}, {"tags": {"app": "x"}}, [("tags", "ADD")]),
        ({"tags": {"app": "x", "b": "y"}}, {"tags": {"app": "z"}},
         [("tags.app", "UPDATE"), ("tags.b", "DELETE")]),
        ({"rules": [{"port": 1}]}, {"rules": [{"port": 2}, {"port": 3}]},
         [("rules[0].port", "UPDATE"), ("rules[1]", "ADD")]),
    ],
)  # fmt: skip
def test_differences_are_told_by_path(old: Any, new: Any, expected: list[tuple[str, str]]) -> None:
    """The engine prints these paths, and the gate reads them."""
    assert expected == list(differences(old, new))


def test_documents_are_compared_by_meaning() -> None:
    """Another layout of the same JSON is no change; another value is."""
    task = RESOURCES["aws:ecs/taskDefinition:TaskDefinition"]
    one = task.canonical({"containerDefinitions": '[{"name": "app", "cpu": 1}]'})
    assert one == task.canonical({"containerDefinitions": '[{"cpu":1,"name":"app"}]'})
    assert one != task.canonical({"containerDefinitions": '[{"cpu":2,"name":"app"}]'})


def test_lists_that_are_sets_have_no_order() -> None:
    """ECS may answer with the subnets in any order."""
    service = RESOURCES["aws:ecs/service:Service"]
    one = service.canonical({"networkConfiguration": {"subnets": ["a", "b"]}})
    assert one == service.canonical({"networkConfiguration": {"subnets": ["b", "a"]}})
    rule = {"protocol": "tcp", "cidrBlocks": ["1", "2"]}
    group = RESOURCES["aws:ec2/securityGroup:SecurityGroup"]
    assert group.canonical({"ingress": [rule, {"protocol": "udp"}]}) == group.canonical(
        {"ingress": [{"protocol": "udp"}, {**rule, "cidrBlocks": ["2", "1"]}]}
    )


@pytest.mark.parametrize(
    ("token", "name", "replaces"),
    [
        # As the Terraform provider's schemas say (ForceNew).
        ("aws:ecs/taskDefinition:TaskDefinition", "cpu", True),
        ("aws:ecs/taskDefinition:TaskDefinition", "memory", True),
        ("aws:ecs/taskDefinition:TaskDefinition", "containerDefinitions", True),
        ("aws:ecs/taskDefinition:TaskDefinition", "tags", False),
        ("aws:ecs/taskDefinition:TaskDefinition", "skipDestroy", False),
        ("aws:ecs/service:Service", "taskDefinition", False),
        ("aws:ecs/service:Service", "desiredCount", False),
        ("aws:ecs/service:Service", "networkConfiguration", False),
        ("aws:ecs/service:Service", "loadBalancers", False),
        ("aws:ecs/service:Service", "launchType", True),
        ("aws:ecs/service:Service", "cluster", True),
        ("aws:lb/loadBalancer:LoadBalancer", "internal", True),
        ("aws:lb/loadBalancer:LoadBalancer", "subnets", False),
        ("aws:lb/targetGroup:TargetGroup", "port", True),
        ("aws:lb/targetGroup:TargetGroup", "healthCheck", False),
        ("aws:lb/listener:Listener", "port", False),
        ("aws:lb/listener:Listener", "loadBalancerArn", True),
        ("aws:ec2/securityGroup:SecurityGroup", "description", True),
        ("aws:ec2/securityGroup:SecurityGroup", "ingress", False),
        ("aws:iam/role:Role", "assumeRolePolicy", False),
        ("aws:iam/role:Role", "path", True),
        ("aws:iam/rolePolicy:RolePolicy", "policy", False),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn", True),
        ("aws:cloudwatch/logGroup:LogGroup", "retentionInDays", False),
        ("aws:cloudwatch/logGroup:LogGroup", "logGroupClass", True),
    ],
)
def test_what_replaces_is_what_replaces_on_aws(token: str, name: str, replaces: bool) -> None:
    """A stand-in that replaces more or less than AWS would teach the gate a wrong lesson."""
    assert RESOURCES[token].replaces_on(name) is replaces


def test_defaults_are_filled_in_and_noted() -> None:
    """As the real provider does, in each block; the service never sees the note."""
    service = RESOURCES["aws:ecs/service:Service"]
    inputs = filled(
        {
            "name": "web",
            "deploymentMaximumPercent": 150,
            "loadBalancers": [{"containerPort": 80}],
            "tags": {"app": "web"},
        },
        service.defaults,
    )
    assert "deploymentMaximumPercent" not in inputs[NOTE]
    assert "deploymentMinimumHealthyPercent" in inputs[NOTE]
    assert inputs["deploymentMinimumHealthyPercent"] == 100
    assert inputs["loadBalancers"] == [{"containerPort": 80, NOTE: []}]
    assert inputs["tags"] == {"app": "web"}
    assert NOTE not in repr(plain(inputs))


def test_every_type_says_what_it_is() -> None:
    """Required, computed and replacing properties are named as in the SDK: camelCase."""
    for token, kind in RESOURCES.items():
        names = {*kind.required, *kind.computed, *kind.replaces}
        assert all(name.isidentifier() and "_" not in name for name in names), token
    assert {token.split(":")[-1] for token in FUNCTIONS} == {"getCallerIdentity", "getRegion"}
