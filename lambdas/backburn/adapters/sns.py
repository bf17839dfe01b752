"""Mail by SNS: one topic for the operators, and one for each approver alone.

A topic sends the same text to all its subscribers, so a personal link needs a topic of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from backburn.mail import subject_line

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class SnsMailer:
    """A mailer; which topic belongs to whom is decided by the stacks."""

    def __init__(self, client: SNSClient, operators: str, approvers: Mapping[str, str]) -> None:
        self._client = client
        self._operators = operators
        self._approvers = approvers

    def to_approver(self, approver: str, subject: str, text: str) -> None:
        self._publish(self._approvers[approver], subject, text)

    def to_operators(self, subject: str, text: str) -> None:
        self._publish(self._operators, subject, text)

    def _publish(self, topic: str, subject: str, text: str) -> None:
        self._client.publish(TopicArn=topic, Subject=subject_line(subject), Message=text)
