"""Mails that are only remembered."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

from typing import NamedTuple

OPERATORS = "operators"


class Sent(NamedTuple):
    """One mail."""

    to: str
    subject: str
    text: str


class FakeMailer:
    """Everything that was sent, in order."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def to_approver(self, approver: str, subject: str, text: str) -> None:
        self.sent.append(Sent(approver, subject, text))

    def to_operators(self, subject: str, text: str) -> None:
        self.sent.append(Sent(OPERATORS, subject, text))

    def told_operators(self) -> list[Sent]:
        """The mails to the operators."""
        return [mail for mail in self.sent if mail.to == OPERATORS]
