"""What must outlive a deployment: incidents, artifacts, secrets, the kill switch."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm
from constructs import Construct


class Storage(Construct):
    """Nothing here goes away with the stack but the secrets' placeholders."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self.incidents = table(self, "Incidents")
        self.artifacts = s3.Bucket(
            self,
            "Artifacts",
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    prefix="incidents/", noncurrent_version_expiration=cdk.Duration.days(90)
                ),
                s3.LifecycleRule(
                    prefix="cache/",
                    expiration=cdk.Duration.days(30),
                    noncurrent_version_expiration=cdk.Duration.days(1),
                ),
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        self.webhook_secret = secretsmanager.Secret(
            self,
            "WebhookToken",
            description="The shared secret of Honeycomb's webhook recipient",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                exclude_punctuation=True, password_length=40
            ),
        )
        self.honeycomb_secret = secretsmanager.Secret(
            self,
            "HoneycombKey",
            description="A Honeycomb configuration key that may run queries and write markers: "
            "replace the generated value",
        )
        self.brakes = ssm.StringParameter(
            self,
            "Brakes",
            parameter_name=f"/{cdk.Stack.of(self).stack_name.lower()}/brakes",
            description='The kill switch: {"stop": true, "why": "..."} stops every change',
            string_value=json.dumps({"stop": False, "why": ""}),
        )


def table(scope: Construct, name: str) -> dynamodb.Table:
    """Make a table of ours: key `pk`, on demand, expiring items, restorable to any second."""
    made = dynamodb.Table(
        scope,
        name,
        partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        time_to_live_attribute="expires",
        encryption=dynamodb.TableEncryption.AWS_MANAGED,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    # Sparse: only items that wait for something have the two attributes.
    made.add_global_secondary_index(
        index_name="sweep",
        partition_key=dynamodb.Attribute(name="sweep", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="since", type=dynamodb.AttributeType.STRING),
    )
    return made
