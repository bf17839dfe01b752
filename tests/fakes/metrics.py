"""Resource readings that a test made up."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

from datetime import timedelta

from backburn.evidence import Kind, Reading
from backburn.sli import Window
from backburn.workload import EcsService


class FakeMetrics:
    """Published readings of one service."""

    def __init__(self) -> None:
        self._readings: dict[Kind, list[Reading]] = {}

    def publish(self, kind: Kind, window: Window, percent: float, every: int = 10) -> None:
        """One reading every so many seconds of the window."""
        at = window.start
        while at < window.end:
            reading = Reading(at=at, mean=percent, highest=percent)
            self._readings.setdefault(kind, []).append(reading)
            at += timedelta(seconds=every)

    def readings(self, service: EcsService, kind: Kind, window: Window) -> tuple[Reading, ...]:
        found = self._readings.get(kind, [])
        return tuple(r for r in found if window.start <= r.at < window.end)
