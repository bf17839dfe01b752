"""Budget-rate burn alerts: when one fires, and when it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from . import slo as slos
from .events import Events
from .objects import Object, Objects

MIN_WINDOW_MINUTES = 60  # Honeycomb's own lower bound, lifted only by --relax-burn-windows


class Reference(BaseModel):
    """`{"id": ...}`, with the variables a burn alert overrides on a recipient."""

    model_config = ConfigDict(extra="ignore")
    id: str
    details: dict[str, Any] | None = None


class AlertBody(BaseModel):
    """What a client sends to create or replace a burn alert."""

    model_config = ConfigDict(extra="ignore")
    alert_type: Literal["budget_rate"]
    description: str = Field(default="", max_length=1023)
    budget_rate_window_minutes: int = Field(ge=1)
    budget_rate_decrease_threshold_per_million: int = Field(ge=1, le=slos.MILLION)
    slo: Reference
    recipients: list[Reference] = Field(min_length=1)


@dataclass(frozen=True)
class Firing:
    """A change of an alert's state: the thing its recipients are told."""

    alert: Object
    slo: Object
    instance: str
    status: Literal["TRIGGERED", "OK"]
    decrease_per_million: float
    at: float
    test: bool = False

    @property
    def summary(self) -> str:
        """One sentence for a person."""
        window = self.alert["budget_rate_window_minutes"]
        word = "Triggered" if self.status == "TRIGGERED" else "Resolved"
        return (
            f"{word}: {self.slo['name']}: the error budget decreased by"
            f" {self.decrease_per_million / 10_000:.2f}% within {window} minutes"
        )


def evaluate(
    events: Events, objects: Objects, now: float, new_instance: Callable[[], str]
) -> list[Firing]:
    """Judge every alert on the data up to `now`, keep its state, and say what changed."""
    firings = []
    for alert in objects.all("burn_alert"):
        slo = objects.get("slo", alert["slo"]["id"])
        if slo is None:
            continue
        windows = [alert["budget_rate_window_minutes"] * 60, slo["time_period_days"] * slos.DAY]
        window, period = slos.counts(events, objects, slo, now, windows)
        decrease = slos.decrease_per_million(window, period, slo)
        high = decrease >= alert["budget_rate_decrease_threshold_per_million"]
        state = objects.get("alert_state", alert["id"])
        triggered = bool(state and state["triggered"])
        if high == triggered:
            continue
        instance = state["instance"] if state and triggered else new_instance()
        objects.put(
            "alert_state",
            {"id": alert["id"], "triggered": high, "instance": instance, "since": now},
        )
        word: Literal["TRIGGERED", "OK"] = "TRIGGERED" if high else "OK"
        firings.append(Firing(alert, slo, instance, word, decrease, now))
    return firings


def is_triggered(objects: Objects, alert: Object) -> bool:
    """Whether the alert fires now."""
    state = objects.get("alert_state", alert["id"])
    return bool(state and state["triggered"])


def iso(seconds: float) -> str:
    """A moment as the API writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
