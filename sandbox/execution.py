"""An execution as its history tells it: which states it passed, what they said, how long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


@dataclass(frozen=True)
class Passed:
    """One state that was entered and left."""

    state: str
    entered: datetime
    left: datetime
    given: Any
    said: Any

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.left - self.entered).total_seconds()


class Execution:
    """One execution of the local AWS."""

    def __init__(self, states: Any, machine: str, name: str) -> None:
        self._states = states
        self._arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"

    def status(self) -> str:
        """Its status, as the console shows it; empty if it does not exist yet."""
        try:
            return str(self._states.describe_execution(executionArn=self._arn)["status"])
        except self._states.exceptions.ExecutionDoesNotExist:
            return ""

    def failure(self) -> str:
        """Error and cause of an execution that failed."""
        found = self._states.describe_execution(executionArn=self._arn)
        return f"{found.get('error', '')}: {found.get('cause', '')}"

    def passed(self) -> list[Passed]:
        """The states left so far, in their order."""
        return list(self._passed())

    def _passed(self) -> Iterator[Passed]:
        open_states: dict[str, tuple[datetime, Any]] = {}
        for event in self._events():
            if detail := event.get("stateEnteredEventDetails"):
                open_states[detail["name"]] = event["timestamp"], _json(detail.get("input"))
            elif detail := event.get("stateExitedEventDetails"):
                entered, given = open_states[detail["name"]]
                said = _json(detail.get("output"))
                yield Passed(detail["name"], entered, event["timestamp"], given, said)

    def _events(self) -> Iterator[dict[str, Any]]:
        pages = self._states.get_paginator("get_execution_history")
        for page in pages.paginate(executionArn=self._arn):
            yield from page["events"]


def _json(text: str | None) -> Any:
    return json.loads(text) if text else None
