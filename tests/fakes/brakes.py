"""The kill switch of a test."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations


class FakeBrakes:
    """Off, unless it says why."""

    def __init__(self, why: str | None = None) -> None:
        self.why = why

    def engaged(self) -> str | None:
        return self.why
