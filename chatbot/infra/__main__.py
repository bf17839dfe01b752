"""The chatbot on ECS Fargate: a load balancer, one service, and the roles and logs they need.

What differs between stacks stands in `Pulumi.<stack>.yaml`; the size of a task stands here, so
that a change of it is reviewed like code.
"""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws
from network import build

APP = "otel-ai-chatbot"
PORT = 3001

config = pulumi.Config()
stack = pulumi.get_stack()
name = f"{APP}-{stack}"
region = aws.get_region().region
tags = {"app": APP, "stack": stack}

subnets = config.require_object("subnets")

network = build(APP, name, config.require("vpcId"), subnets, PORT, tags)

# --- roles: one starts the task and ships its logs, the other is what the chatbot itself may do

trust = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)

execution_role = aws.iam.Role(
    f"{APP}-execution", name=f"{name}-execution", assume_role_policy=trust, tags=tags
)

execution_policy = aws.iam.RolePolicyAttachment(
    f"{APP}-execution",
    role=execution_role.name,
    policy_arn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
)

task_role = aws.iam.Role(f"{APP}-task", name=f"{name}-task", assume_role_policy=trust, tags=tags)

models = aws.iam.RolePolicy(
    f"{APP}-models",
    name="models",
    role=task_role.name,
    policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
                    "Resource": f"arn:aws:bedrock:{region}::foundation-model/*",
                }
            ],
        }
    ),
)

# --- what nobody may read lies in the secret store: neither task definition nor preview shows it

kept: dict[str, tuple[str, pulumi.Output[str]]] = {}

# Absent where the spans go to a collector that has its own key.
honeycomb_key = config.get_secret("honeycombKey")
if honeycomb_key:
    headers = honeycomb_key.apply(lambda key: f"x-honeycomb-team={key}")
    kept["otlp-headers"] = ("OTEL_EXPORTER_OTLP_HEADERS", headers)

# Absent where the corpus is searched in the chatbot's own process.
opensearch_endpoint = config.get("opensearchEndpoint")
if opensearch_endpoint:
    kept["opensearch-password"] = (
        "OPENSEARCH_PASSWORD",
        config.require_secret("opensearchPassword"),
    )

secrets: list[dict[str, pulumi.Input[str]]] = []

for slug, (variable, value) in kept.items():
    secret = aws.secretsmanager.Secret(
        f"{APP}-{slug}",
        name=f"{name}/{slug}",
        recovery_window_in_days=0,  # a stack that was destroyed may be made again under its name
        tags=tags,
    )
    aws.secretsmanager.SecretVersion(f"{APP}-{slug}", secret_id=secret.id, secret_string=value)
    secrets.append({"name": variable, "valueFrom": secret.arn})

if secrets:
    aws.iam.RolePolicy(
        f"{APP}-execution-secrets",
        name="secrets",
        role=execution_role.name,
        policy=pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "secretsmanager:GetSecretValue",
                        "Resource": [secret["valueFrom"] for secret in secrets],
                    }
                ],
            }
        ),
    )

# --- the task

log_group = aws.cloudwatch.LogGroup(
    f"{APP}-logs", name=f"/ecs/{name}", retention_in_days=7, tags=tags
)

environment: dict[str, str] = {
    "PORT": str(PORT),
    "AWS_REGION": region,
    "LOG_LEVEL": "info",
    "BEDROCK_MODEL": "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "MAX_TOKENS": "1000",
    "MAX_CONTEXT_DOCS": "5",
    "RAG_INDEX": "opensearch" if opensearch_endpoint else "local",
    "OTEL_SERVICE_NAME": f"{APP}-backend",
    "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name={stack},service.version=1.0.0",
    "OTEL_EXPORTER_OTLP_ENDPOINT": config.require("otlpEndpoint"),
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
}

if opensearch_endpoint:
    environment["OPENSEARCH_ENDPOINT"] = opensearch_endpoint
    environment["OPENSEARCH_USERNAME"] = config.require("opensearchUsername")

# Absent in AWS: another place to ask for completions, e.g. a VPC endpoint or a stand-in.
bedrock_endpoint = config.get("bedrockEndpoint")
if bedrock_endpoint:
    environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = bedrock_endpoint

task_definition = aws.ecs.TaskDefinition(
    f"{APP}-task",
    family=f"{APP}-app",
    cpu="512",
    memory="1024",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
        cpu_architecture="ARM64", operating_system_family="LINUX"
    ),
    execution_role_arn=execution_role.arn,
    task_role_arn=task_role.arn,
    container_definitions=pulumi.Output.json_dumps(
        [
            {
                "name": "app",
                "image": config.require("image"),
                "essential": True,
                "command": ["python", "-m", "chatbot.app"],
                "portMappings": [{"containerPort": PORT, "protocol": "tcp"}],
                "environment": [
                    {"name": key, "value": value} for key, value in environment.items()
                ],
                "secrets": secrets,
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": log_group.name,
                        "awslogs-region": region,
                        "awslogs-stream-prefix": "app",
                    },
                },
            }
        ]
    ),
    # The revision before a change stays registered: it is what a rollback, ours or that of the
    # deployment circuit breaker, goes back to.
    skip_destroy=True,
    tags=tags,
)

# --- the service

cluster = aws.ecs.Cluster(
    f"{APP}-cluster",
    name=name,
    settings=[aws.ecs.ClusterSettingArgs(name="containerInsights", value="enabled")],
    tags=tags,
)

service = aws.ecs.Service(
    f"{APP}-service",
    name=name,
    cluster=cluster.arn,
    task_definition=task_definition.arn,
    desired_count=config.require_int("desiredCount"),
    launch_type="FARGATE",
    network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
        subnets=subnets,
        security_groups=[network.task_group.id],
        assign_public_ip=True,  # the default VPC has no NAT; the group lets only the balancer in
    ),
    load_balancers=[
        aws.ecs.ServiceLoadBalancerArgs(
            target_group_arn=network.target_group.arn, container_name="app", container_port=PORT
        )
    ],
    health_check_grace_period_seconds=30,
    deployment_minimum_healthy_percent=100,
    deployment_maximum_percent=200,
    deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(
        enable=True, rollback=True
    ),
    wait_for_steady_state=False,
    tags=tags,
    # A target group must hang on a listener before a service may register targets with it.
    opts=pulumi.ResourceOptions(depends_on=[network.listener, execution_policy]),
)

pulumi.export("albUrl", pulumi.Output.concat("http://", network.load_balancer.dns_name))
pulumi.export("ecsClusterName", cluster.name)
pulumi.export("ecsServiceName", service.name)
pulumi.export("ecsTaskDefinitionArn", task_definition.arn)
