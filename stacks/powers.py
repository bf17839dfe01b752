"""What roles may be given, one method a power: actions and resources as narrow as AWS lets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns


def allow(
    roles: Sequence[iam.Role],
    *actions: str,
    on: str | Sequence[str],
    where: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Give each role one statement of its own."""
    for role in roles:
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=list(actions),
                resources=[on] if isinstance(on, str) else list(on),
                conditions=where,
            )
        )


def keep_items(roles: Sequence[iam.Role], table: dynamodb.Table) -> None:
    """Read and write single items."""
    allow(
        roles,
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        on=table.table_arn,
    )


def use_items(
    roles: Sequence[iam.Role], table: dynamodb.Table, calls: Sequence[str], *kinds: str
) -> None:
    """Make these calls on single items of these kinds, by what their keys begin with."""
    keys = [f"{kind}#*" for kind in kinds]
    where = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}}
    allow(roles, *(f"dynamodb:{call}" for call in calls), on=table.table_arn, where=where)


def find_waiting(roles: Sequence[iam.Role], table: dynamodb.Table) -> None:
    """Ask the sparse index for what did not go on."""
    allow(roles, "dynamodb:Query", on=f"{table.table_arn}/index/*")


def read_artifacts(roles: Sequence[iam.Role], bucket: s3.Bucket, *keys: str) -> None:
    """Read objects; without ListBucket, S3 answers 403 for what is merely absent."""
    allow(roles, "s3:GetObject", on=[bucket.arn_for_objects(key) for key in keys])
    allow(roles, "s3:ListBucket", on=bucket.bucket_arn)


def write_documents(roles: Sequence[iam.Role], bucket: s3.Bucket, *names: str) -> None:
    """Write these documents of an attempt and no others."""
    keys = [bucket.arn_for_objects(f"incidents/*/{name}.json") for name in names]
    allow(roles, "s3:PutObject", on=keys)


def read_secret(roles: Sequence[iam.Role], secret: secretsmanager.Secret) -> None:
    """Read one secret."""
    allow(roles, "secretsmanager:GetSecretValue", on=secret.secret_arn)


def let_nobody_else_sign(key: kms.Key, roles: Sequence[iam.Role]) -> None:
    """Deny making MACs to whoever else has `kms:*` in the account, its administrators included."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=["kms:GenerateMac"],
            principals=[iam.AnyPrincipal()],
            resources=["*"],
            conditions={"ArnNotEquals": {"aws:PrincipalArn": [role.role_arn for role in roles]}},
        )
    )


def let_alarms_publish(topic: sns.Topic) -> None:
    """Let this account's alarms tell a topic: its own policy replaces the default, which would."""
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sns:Publish"],
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(topic).account}},
        )
    )


# What a StartBuild could bring along to change what runs, where from and as whom.
# https://docs.aws.amazon.com/codebuild/latest/userguide/action-context-keys.html
OVERRIDES = (
    "environment.image",
    "environment.privilegedMode",
    "environment.registryCredential",
    "secondarySources",
    "serviceRole",
    "source.buildspec",
    "source.location",
)


def run_build(role: iam.Role, project: codebuild.Project, variables: Sequence[str]) -> None:
    """Start a build as the project is, with these variables at most, and wait for it.

    `.sync` hears of its end by an EventBridge rule that Step Functions owns.
    """
    allow(
        [role],
        "codebuild:StartBuild",
        on=project.project_arn,
        where={
            "Null": {f"codebuild:{name}": "true" for name in OVERRIDES},
            "ForAllValues:StringEquals": {
                "codebuild:environment.environmentVariables.name": list(variables)
            },
        },
    )
    allow([role], "codebuild:StopBuild", "codebuild:BatchGetBuilds", on=project.project_arn)


def hear_of_builds(role: iam.Role) -> None:
    """Keep the rule by which Step Functions hears that a build has ended."""
    rule = cdk.Stack.of(role).format_arn(
        service="events",
        resource="rule",
        resource_name="StepFunctionsGetEventForCodeBuildStartBuildRule",
    )
    allow([role], "events:PutTargets", "events:PutRule", "events:DescribeRule", on=rule)
