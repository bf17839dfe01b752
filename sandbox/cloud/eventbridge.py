"""EventBridge schedules whose minutes may be shorter, for tests that cannot wait.

ministack 1.5.33 looks at its schedules every ten seconds: a schedule fires up to so much late.
"""

# ruff: noqa: SLF001 - ministack's private names are what is replaced here

from __future__ import annotations

from ministack.services import eventbridge

from .patching import require
from .settings import Settings

_MINUTE = 60.0
_LOOKS = 12  # in a minute


def install(settings: Settings) -> None:
    """Scale rate() schedules, and look at them in time."""
    require(eventbridge, "_parse_rate_seconds", "_SCHEDULER_TICK_INTERVAL")
    original, minute = eventbridge._parse_rate_seconds, settings.schedule_minute

    def seconds(expression: str) -> float | None:
        interval = original(expression)
        return None if interval is None else interval * minute / _MINUTE

    eventbridge._parse_rate_seconds = seconds
    eventbridge._SCHEDULER_TICK_INTERVAL = minute / _LOOKS
