"""Figures over the answers a load has seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .traffic import CHAT


@dataclass(frozen=True)
class Seen:
    """One request as its client saw it."""

    route: str
    ended: float  # monotonic seconds
    milliseconds: float
    status: int  # 0: no answer within the timeout, or no connection


@dataclass(frozen=True)
class Figures:
    """What a load does and sees; latencies and shares are of chats, over the last seconds."""

    rate: float
    in_flight: int
    arrived: int
    given_up: int
    answered_per_second: float
    p50: float
    p95: float
    p99: float
    errors: int
    chats: int
    bad: int  # over a second, or not answered well

    def line(self) -> str:
        """One line for a terminal."""
        return (
            f"{self.rate:5.1f}/s asked  {self.answered_per_second:5.1f}/s answered"
            f"  {self.in_flight:3d} in flight  P50 {self.p50:6.0f}  P95 {self.p95:6.0f}"
            f"  P99 {self.p99:6.0f} ms  {self.errors:3d} errors"
            f"  {self.bad}/{self.chats} bad  {self.given_up} given up"
        )


SLOW_MS = 1000
SERVER_ERROR = 500


def bad(seen: Seen) -> bool:
    """Whether the chatbot's objective counts it as bad."""
    return seen.milliseconds > SLOW_MS or seen.status == 0 or seen.status >= SERVER_ERROR


def chats(seen: Iterable[Seen]) -> list[Seen]:
    """Those the objective is about."""
    return [one for one in seen if one.route == CHAT]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
