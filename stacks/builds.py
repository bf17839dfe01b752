"""Where Pulumi runs: one project that can only read, one that can write. Law 9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
import yaml
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from .functions import RETENTION

BUILDSPECS = Path(__file__).parent / "buildspecs"
# Debian, arm64, Python 3.13 as the asset; the tag is the CLI's version.
IMAGE = "public.ecr.aws/pulumi/pulumi-python-3.13:3.259.0-debian-arm64"


def cache_prefix(name: str) -> str:
    """Where in the artifacts bucket a project keeps packages from one build to the next."""
    return f"cache/{name.lower()}"


class Build(Construct):
    """A project with an inline buildspec, a pinned image and the product's asset as source."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        buildspec: str,
        source: assets.Asset,
        told: Sequence[str],
        environment: Mapping[str, str],
        cache: s3.Bucket,
        timeout: cdk.Duration,
    ) -> None:
        super().__init__(scope, name)
        self.told = told
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com")
        )
        log_group = logs.LogGroup(
            self, "Log", retention=RETENTION, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        log_group.grant_write(self.role)
        self.project = codebuild.Project(
            self,
            "Project",
            # CDK would add reports, and reading more of the asset bucket than the source.
            role=self.role.without_policy_updates(),
            grant_report_group_permissions=False,
            source=codebuild.Source.s3(bucket=source.bucket, path=source.s3_object_key),
            build_spec=codebuild.BuildSpec.from_object(
                yaml.safe_load((BUILDSPECS / buildspec).read_text())
            ),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxArmBuildImage.from_docker_registry(IMAGE),
                compute_type=codebuild.ComputeType.SMALL,
            ),
            environment_variables={
                key: codebuild.BuildEnvironmentVariable(value=value)
                for key, value in environment.items()
            },
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)
            ),
            # Each project its own: what the preview left there, the deploy must never run.
            cache=codebuild.Cache.bucket(cache, prefix=cache_prefix(name)),
            timeout=timeout,
            queued_timeout=cdk.Duration.minutes(10),
        )
