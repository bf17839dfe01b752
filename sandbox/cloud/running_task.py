"""The task a thread of ministack is at, so that inner calls know whose they are."""

from __future__ import annotations

import contextvars
from dataclasses import dataclass
from typing import Any


@dataclass
class RunningTask:
    """One attempt at a task state."""

    execution: dict[str, Any] | None = None
    timeout: float | None = None  # seconds, evaluated
    token: str | None = None  # while it waits for one

    @property
    def ended(self) -> bool:
        """Whether its execution was stopped or timed out meanwhile."""
        return self.execution is not None and self.execution["status"] != "RUNNING"


_current: contextvars.ContextVar[RunningTask] = contextvars.ContextVar("task")


def enter(task: RunningTask) -> None:
    """Say that the present thread, and those with a copy of its context, are at this task."""
    _current.set(task)


def current() -> RunningTask:
    """The task this thread is at."""
    return _current.get(RunningTask())
