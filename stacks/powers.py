"""What a role may be given, one method a power: actions and resources as narrow as AWS lets."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager


def allow(
    role: iam.Role,
    *actions: str,
    on: str | list[str],
    where: dict[str, dict[str, str]] | None = None,
) -> None:
    """Add one statement to a role."""
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=list(actions),
            resources=[on] if isinstance(on, str) else on,
            conditions=where,
        )
    )


def keep_items(role: iam.Role, table: dynamodb.Table) -> None:
    """Read and write single items."""
    allow(
        role,
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        on=table.table_arn,
    )


def find_waiting(role: iam.Role, table: dynamodb.Table) -> None:
    """Ask the sparse index for what did not go on."""
    allow(role, "dynamodb:Query", on=f"{table.table_arn}/index/*")


def read_artifacts(role: iam.Role, bucket: s3.Bucket, *keys: str) -> None:
    """Read objects; without ListBucket, S3 answers 403 for what is merely absent."""
    allow(role, "s3:GetObject", on=[bucket.arn_for_objects(key) for key in keys])
    allow(role, "s3:ListBucket", on=bucket.bucket_arn)


def write_documents(role: iam.Role, bucket: s3.Bucket, *names: str) -> None:
    """Write these documents of an attempt and no others."""
    keys = [bucket.arn_for_objects(f"incidents/*/{name}.json") for name in names]
    allow(role, "s3:PutObject", on=keys)


def read_secret(role: iam.Role, secret: secretsmanager.Secret) -> None:
    """Read one secret."""
    allow(role, "secretsmanager:GetSecretValue", on=secret.secret_arn)


def run_builds(role: iam.Role, projects: list[codebuild.Project]) -> None:
    """Start builds and wait for them (`.sync` listens by a rule that Step Functions owns)."""
    stack = cdk.Stack.of(role)
    allow(
        role,
        "codebuild:StartBuild",
        "codebuild:StopBuild",
        "codebuild:BatchGetBuilds",
        on=[project.project_arn for project in projects],
    )
    allow(
        role,
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
        on=stack.format_arn(
            service="events",
            resource="rule",
            resource_name="StepFunctionsGetEventForCodeBuildStartBuildRule",
        ),
    )
