"""Brakes: kill switch, freeze windows, changes a day. Read at proposal and again at apply."""

from __future__ import annotations

from datetime import UTC, datetime

from .errors import Braked
from .workload import Workload


def day(now: datetime) -> str:
    """The day that changes are counted by: UTC's, the same for everybody."""
    return now.astimezone(UTC).date().isoformat()


def reason(workload: Workload, now: datetime, switch: str | None) -> str | None:
    """Why nothing may change now, or None; `switch` is what the kill switch says (None: go on)."""
    if switch is not None:
        return switch
    for freeze in workload.limits.freeze:
        if freeze.covers(now):
            return f"{workload.name} is frozen until {freeze.end:%Y-%m-%d %H:%M %Z}: {freeze.why}"
    return None


def capped(workload: Workload) -> str:
    """What is said when the day's changes are used up: their count is one conditional write."""
    limit = workload.limits.changes_per_day
    return f"{workload.name} may have {limit} changes a day, and has had them"


def check(workload: Workload, now: datetime, switch: str | None) -> None:
    """Raise Braked if a brake is on; arguments as for `reason`."""
    why = reason(workload, now, switch)
    if why is not None:
        raise Braked(why)
