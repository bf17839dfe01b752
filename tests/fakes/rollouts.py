"""ECS as a test tells it."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

from backburn.rollout import Look


class FakeRollouts:
    """The same look, until it is changed."""

    def __init__(self, found: Look) -> None:
        self.found = found
        self.asked: list[tuple[str, str]] = []

    def look(self, cluster: str, service: str) -> Look:
        self.asked.append((cluster, service))
        return self.found
