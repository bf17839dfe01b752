"""SLOs on the data: how much of the budget is left, and how fast it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .events import Events
from .objects import Object, Objects
from .scope import Scope
from .values import literal

MILLION = 1_000_000
DAY = 86_400
BURN_RATE_SECONDS = 4 * 3600  # Honeycomb's `burn_rate` looks back four hours
NANO = 1_000_000_000


class Sli(BaseModel):
    """The calculated field that judges one event."""

    model_config = ConfigDict(extra="ignore")
    alias: str = Field(min_length=1, max_length=255)


class SloBody(BaseModel):
    """What a client sends to create or replace an SLO; what the server computes is ignored."""

    model_config = ConfigDict(extra="ignore")
    name: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=1023)
    sli: Sli
    time_period_days: int = Field(ge=1, le=90)
    target_per_million: int = Field(ge=0, lt=MILLION)
    dataset_slugs: list[str] | None = Field(default=None, max_length=10)


@dataclass(frozen=True)
class Count:
    """Good and bad events; those the SLI is null for are neither."""

    good: int
    bad: int

    @property
    def total(self) -> int:
        """All that count."""
        return self.good + self.bad


Status = Literal["normal", "triggered", "no_alerts", "no_events"]


def counts(
    events: Events, objects: Objects, slo: Object, end: float, windows: list[int]
) -> list[Count]:
    """The counts over each of the windows (seconds back from `end`), in one pass."""
    dataset = slo["dataset_slugs"][0] if len(slo["dataset_slugs"]) == 1 else "__all__"
    value = Scope(events, objects, dataset).value(slo["sli"]["alias"])
    good, known = value.true(), value.exists()
    stop = int(end * NANO)
    columns = []
    for seconds in windows:
        inside = f"time >= {stop - seconds * NANO}"
        columns += [
            f"coalesce(sum(rate) FILTER (WHERE {inside} AND {good}), 0)",
            f"coalesce(sum(rate) FILTER (WHERE {inside} AND {known} AND NOT {good}), 0)",
        ]
    names = ", ".join(str(literal(name).text) for name in slo["dataset_slugs"])
    (row,) = events.read(
        f"SELECT {', '.join(columns)} FROM events WHERE dataset IN ({names})"  # noqa: S608
        f" AND time >= {stop - max(windows) * NANO} AND time <= {stop}"
    )
    return [Count(int(row[i]), int(row[i + 1])) for i in range(0, len(row), 2)]


def allowance(slo: Object) -> float:
    """The share of events that may be bad."""
    return 1 - float(slo["target_per_million"]) / MILLION


def decrease_per_million(window: Count, period: Count, slo: Object) -> float:
    """How much of the whole period's budget the window used up."""
    budget = period.total * allowance(slo)
    return window.bad / budget * MILLION if budget else 0.0


def detail(period: Count, recent: Count, slo: Object) -> dict[str, Any]:
    """The fields of `?detailed`: percent, budget as percent of itself, burn of the last 4 h."""
    allowed = allowance(slo)
    compliance = period.good / period.total * 100 if period.total else 100.0
    used = period.bad / (period.total * allowed) if period.total else 0.0
    rate = recent.bad / recent.total / allowed if recent.total else 0.0
    return {
        "compliance": round(compliance, 4),
        "budget_remaining": round((1 - used) * 100, 4),
        "burn_rate": round(rate, 4),
    }


def status(period: Count, alerts: list[Object], triggered: bool) -> Status:
    """Honeycomb's word for how the SLO stands."""
    if not period.total:
        return "no_events"
    if not alerts:
        return "no_alerts"
    return "triggered" if triggered else "normal"
