"""What the adapters call is what is granted: nothing fails in AWS, nothing is open in vain."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.stacks.template import Template

ADAPTERS = Path(__file__).parents[2] / "lambdas" / "backburn" / "adapters"
# The client of each adapter, as wiring.py makes it, and the prefix of its actions in IAM.
PREFIXES = {
    "cloudwatch": "cloudwatch",
    "codebuild": "codebuild",
    "dynamodb": "dynamodb",
    "dynamodb_approvals": "dynamodb",
    "dynamodb_holds": "dynamodb",
    "dynamodb_incidents": "dynamodb",
    "ecs": "ecs",
    "kms": "kms",
    "s3": "s3",
    "secrets_manager": "secretsmanager",
    "sns": "sns",
    "ssm": "ssm",
    "step_functions": "states",
}
# Calls whose action has another name.
NAMED_OTHERWISE = {
    "s3:HeadObject": {"s3:GetObject", "s3:ListBucket"},
    "dynamodb:TransactWriteItems": {
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
    },
}
# Only the operator's desk asks these, with the operator's own permissions.
NOBODYS = {"dynamodb:Scan", "states:DescribeExecution"}
# What the Pulumi engine, the runtimes and Step Functions itself call, not an adapter.
THEIRS = {
    "Pulumi": r"(application-autoscaling|ec2|elasticloadbalancing|iam):.*"
    r"|ecs:(Describe(Clusters|TaskDefinition)|ListTagsForResource|Register.*|TagResource|Update.*)"
    r"|logs:(DescribeLogGroups|ListTagsForResource)|s3:DeleteObject"
    r"|secretsmanager:(DescribeSecret|GetResourcePolicy)",
    "runtimes": r"logs:(CreateLogStream|PutLogEvents)|s3:Get(ObjectVersion|BucketLocation|BucketAcl)",
    "Step Functions": r"lambda:InvokeFunction|codebuild:(StartBuild|StopBuild)|events:.*|xray:.*"
    r"|logs:.*(LogDelivery|LogDeliveries|ResourcePolic(y|ies))",
}


def called() -> set[str]:
    """The actions behind every call of every adapter."""
    found: set[str] = set()
    for path in ADAPTERS.glob("*.py"):
        if prefix := PREFIXES.get(path.stem):
            for call in calls(path):
                name = f"{prefix}:{''.join(word.capitalize() for word in call.split('_'))}"
                found |= NAMED_OTHERWISE.get(name, {name})
    return found


def calls(path: Path) -> set[str]:
    """The operations an adapter asks of its client, by method or by paginator."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="get_paginator"), args=[ast.Constant(value=str(name))]
            ):
                found.add(name)
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(
                        value=ast.Name(id="self"), attr="_client" | "_ecs" | "_codebuild"
                    ),
                    attr=name,
                )
            ):
                found.add(name)
    return found - {"get_paginator"}


def test_every_adapter_of_an_aws_service_is_known() -> None:
    """A new one must say whose actions it needs."""
    of_aws = {path.stem for path in ADAPTERS.glob("*.py") if "botocore" in path.read_text()}
    assert of_aws - set(PREFIXES) <= {"aws"}


def test_whatever_an_adapter_calls_is_granted_to_somebody(template: Template) -> None:
    """The local AWS allows everything, so only this tells before AWS does."""
    granted = {grant.action for grant in template.grants}
    assert called() - granted - NOBODYS == set()


def test_nothing_is_granted_that_nobody_calls(template: Template) -> None:
    """A permission in stock is an attack in stock."""
    theirs = re.compile("|".join(THEIRS.values()))
    ours = {g.action for g in template.grants if not theirs.fullmatch(g.action)}
    assert ours - called() == set()
