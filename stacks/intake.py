"""The only HTTP: a throttled API with the routes of the product and no others."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
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
        self.log = logs.LogGroup(
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
                destination_arn=self.log.log_group_arn,
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
        stage.node.add_dependency(self.log)

    @property
    def url(self) -> str:
        """The base of the links that people get."""
        return self.api.api_endpoint

    def route(
        self, path: str, methods: list[apigateway.HttpMethod], function: Function
    ) -> cloudwatch.Metric:
        """Let `function` answer these methods of a path; the count of its answers above 499."""
        integration = HttpLambdaIntegration(f"{function.node.id}Route", function.function)
        self.api.add_routes(path=path, methods=methods, integration=integration)
        # Counted in the access log and not by the function, so that an answer of the gateway
        # itself (no permission, no time, too many at once) counts as well.
        routes = (f"{method.value} {path}" for method in methods)
        counted = logs.FilterPattern.all(
            logs.FilterPattern.string_value("$.status", "=", "5*"),
            logs.FilterPattern.any(
                *(logs.FilterPattern.string_value("$.route", "=", route) for route in routes)
            ),
        )
        return self.log.add_metric_filter(
            f"{function.node.id}Unavailable",
            filter_pattern=counted,
            metric_namespace=cdk.Stack.of(self).stack_name,
            metric_name=f"{function.node.id}Unavailable",
        ).metric()
