"""The state machine as far as its callers see it."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backburn.ports import Failure


class FakeWorkflow:
    """Executions by name, and the tokens somebody waits on."""

    def __init__(self, *waiting: str) -> None:
        self.started: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Any] = {}
        self.failures: dict[str, Failure] = {}
        self._waiting = set(waiting)

    def start(self, name: str, payload: Mapping[str, Any]) -> None:
        self.started.setdefault(name, dict(payload))

    def succeed(self, token: str, output: Mapping[str, Any]) -> None:
        self._wake(token)
        self.answers[token] = dict(output)

    def fail(self, token: str, error: str, cause: str) -> None:
        self._wake(token)
        self.answers[token] = (error, cause)

    def running(self, name: str) -> bool:
        return name in self.started and name not in self.failures

    def failure(self, name: str) -> Failure:
        return self.failures[name]

    def _wake(self, token: str) -> None:
        if token not in self._waiting:
            raise LookupError(token)
        self._waiting.remove(token)
