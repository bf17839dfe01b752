"""What an account may ask of the chat models, and what happens beyond it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pydantic import ConfigDict

WINDOW_SECONDS = 5.0


@dataclass(frozen=True)
class Quota:
    """None is without limit."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # a misspelt knob must not pass for a fault

    concurrent: int | None = None  # calls at once
    per_second: float | None = None  # over five seconds; refused calls count too
    latency_factor: float = 1.0
    throttle_share: float = 0.0  # of the calls, refused whatever the rate


class Gate:
    """Lets calls in while they are within the quota.

    A refused call counts against the rate like any other: that is the pessimistic reading of a
    limiter, and what makes retrying at once a way to stay shut out.
    """

    def __init__(self) -> None:
        self.quota = Quota()
        self.in_flight = 0
        self.served = 0
        self.refused = 0
        self.most_in_flight = 0
        self._calls: deque[float] = deque()

    def enter(self, now: float, chance: float) -> bool:
        """Whether a call at `now` may pass; `chance` in [0, 1) decides on the throttled share."""
        while self._calls and self._calls[0] <= now - WINDOW_SECONDS:
            self._calls.popleft()
        quota = self.quota
        within_rate = (
            quota.per_second is None or len(self._calls) < quota.per_second * WINDOW_SECONDS
        )
        self._calls.append(now)
        within = quota.concurrent is None or self.in_flight < quota.concurrent
        if not (within_rate and within and chance >= quota.throttle_share):
            self.refused += 1
            return False
        self.served += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        return True

    def leave(self) -> None:
        """A call that was let in has ended."""
        self.in_flight -= 1
