"""Who is asked, and what a decision is made with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from .storage import table


class Approvals(Construct):
    """A table of their own, one topic a person, and the key of the decisions' MACs."""

    def __init__(
        self, scope: Construct, name: str, *, approvers: Sequence[str], operators: Sequence[str]
    ) -> None:
        super().__init__(scope, name)
        self.requests = table(self, "Requests")
        # AWS does not rotate HMAC keys; a decision lives for hours at most.
        self.mac_key = kms.Key(
            self,
            "MacKey",
            description="MACs of approvers' decisions",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        # One topic sends one text to all its subscribers, and every approver's link is personal.
        self.approver_topics = {
            mail: self._topic(f"Approver{hashlib.sha256(mail.encode()).hexdigest()[:8]}", [mail])
            for mail in sorted(set(approvers))
        }
        self.operators_topic = self._topic("Operators", sorted(set(operators)))

    @property
    def topic_arns(self) -> str:
        """{mail address: topic ARN} as JSON."""
        stack = cdk.Stack.of(self)
        arns = {mail: topic.topic_arn for mail, topic in self.approver_topics.items()}
        return stack.to_json_string(arns) if cdk.Token.is_unresolved(arns) else json.dumps(arns)

    def _topic(self, name: str, mails: Sequence[str]) -> sns.Topic:
        topic = sns.Topic(self, name, enforce_ssl=True)
        for mail in mails:
            topic.add_subscription(subscriptions.EmailSubscription(mail))
        return topic
