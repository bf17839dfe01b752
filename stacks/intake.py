"""The only HTTP: a throttled API with the routes of the product and no others."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from .functions import RETENTION, Function

# A burning service fires a handful of deliveries a minute and a person clicks once.
RATE, BURST = 20, 40


class Intake(Construct):
    """An HTTP API with access logs. No link secret, body or query string is logged."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self.api = apigateway.HttpApi(self, "Api", create_default_stage=False)
        access_log = logs.LogGroup(
            self, "AccessLog", retention=RETENTION, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        stage = apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=RATE, throttling_burst_limit=BURST
            ),
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=access_log.log_group_arn,
                # $context.path would hold the approver's link.
                format=json.dumps(
                    {
                        "at": "$context.requestTime",
                        "request": "$context.requestId",
                        "route": "$context.routeKey",
                        "status": "$context.status",
                        "ip": "$context.identity.sourceIp",
                        "agent": "$context.identity.userAgent",
                        "error": "$context.integrationErrorMessage",
                    }
                ),
            ),
        )
        stage.node.add_dependency(access_log)

    @property
    def url(self) -> str:
        """The base of the links that people get."""
        return self.api.api_endpoint

    def route(self, path: str, methods: list[apigateway.HttpMethod], function: Function) -> None:
        """Let `function` answer these methods of a path."""
        integration = HttpLambdaIntegration(f"{function.node.id}Route", function.function)
        self.api.add_routes(path=path, methods=methods, integration=integration)
