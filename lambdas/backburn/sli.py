"""The SLI as measured: good and bad requests by slot of time and by revision."""

from __future__ import annotations

from datetime import UTC, datetime
from math import log

from pydantic import AwareDatetime

from .workload import Model

_FINE = 1200  # seconds up to which one-second slots stay well within Honeycomb's 10,000 rows


class Window(Model):
    """A stretch of time, its end not included."""

    start: AwareDatetime
    end: AwareDatetime

    @property
    def seconds(self) -> float:
        """Its length; never negative."""
        return max(0.0, (self.end - self.start).total_seconds())

    @property
    def first(self) -> int:
        """Its start in whole Unix seconds."""
        return int(self.start.timestamp())

    @property
    def last(self) -> int:
        """Its end in whole Unix seconds."""
        return int(self.end.timestamp())


def slot_seconds(seconds: float) -> int:
    """The length of the slots for a stretch of that many seconds.

    A minute, because Honeycomb cuts the ends of queries to the minute; a second where minutes
    would be too coarse to be of use.
    """
    return 1 if seconds <= _FINE else 60


def window_ending(end: datetime, seconds: int, slot: int) -> Window:
    """The last `seconds` before `end`, both ends on the edge of a slot."""
    last = int(end.timestamp()) // slot * slot
    first = (last - seconds) // slot * slot
    return Window(start=datetime.fromtimestamp(first, UTC), end=datetime.fromtimestamp(last, UTC))


class Counts(Model):
    """Requests that the SLI counts."""

    good: int = 0
    bad: int = 0

    @property
    def total(self) -> int:
        """All that count."""
        return self.good + self.bad

    @property
    def share(self) -> float:
        """The bad ones among them; 0 of none."""
        return self.bad / self.total if self.total else 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(good=self.good + other.good, bad=self.bad + other.bad)


class Slot(Model):
    """What one revision served in one slot of time."""

    at: int  # Unix seconds of the slot's start
    revision: str | None
    counts: Counts


class Series(Model):
    """The SLI over time, and where to look it up."""

    seconds: int  # length of a slot
    slots: tuple[Slot, ...]
    link: str

    def within(self, window: Window) -> Series:
        """The slots that lie wholly inside the window."""
        inside = tuple(
            slot
            for slot in self.slots
            if window.first <= slot.at and slot.at + self.seconds <= window.last
        )
        return self.model_copy(update={"slots": inside})

    def serving(self, revision: str | None) -> Series:
        """The slots of one revision."""
        slots = tuple(slot for slot in self.slots if slot.revision == revision)
        return self.model_copy(update={"slots": slots})

    @property
    def counts(self) -> Counts:
        """All slots together."""
        return sum((slot.counts for slot in self.slots), Counts())

    @property
    def revisions(self) -> tuple[str | None, ...]:
        """Who served, in order of appearance."""
        ordered = sorted(self.slots, key=lambda slot: slot.at)
        return tuple(dict.fromkeys(slot.revision for slot in ordered))

    @property
    def newest(self) -> int | None:
        """End of the newest slot that holds a request."""
        return max((slot.at + self.seconds for slot in self.slots), default=None)

    def per_minute(self, window: Window) -> float:
        """The rate of requests, up to the newest one.

        Slow requests that are still running have not been told yet, and behind a queue that holds
        for every request after some moment: the time after it says nothing of the rate.
        """
        inside = self.within(window)
        seconds = (inside.newest or window.first) - window.first
        return inside.counts.total * 60 / seconds if seconds else 0.0

    def missing(self, window: Window, bucket: int) -> float:
        """The share of the window's buckets (of `bucket` seconds) without any request."""
        buckets = int(window.seconds // bucket)
        seen = {(slot.at - window.first) // bucket for slot in self.within(window).slots}
        return 1 - len({b for b in seen if b < buckets}) / buckets if buckets else 0.0

    def onset(self) -> datetime | None:
        """When the bad share changed for the worse: the most likely single change point.

        None if no split of the slots makes a later part that is worse.
        """
        by_time: dict[int, Counts] = {}
        for slot in self.slots:
            by_time[slot.at] = by_time.get(slot.at, Counts()) + slot.counts
        times = sorted(by_time)
        whole = self.counts
        before, best, found = Counts(), _likelihood(whole), None
        for at in times:
            after = Counts(good=whole.good - before.good, bad=whole.bad - before.bad)
            gain = _likelihood(before) + _likelihood(after)
            if before.total and after.share > before.share and gain > best + _MIN_GAIN:
                best, found = gain, at
            before += by_time[at]
        return None if found is None else datetime.fromtimestamp(found, UTC)


# Two more parameters (where, how much) must pay for themselves: half of chi-squared(2) at 1 %.
_MIN_GAIN = 4.6


def _likelihood(counts: Counts) -> float:
    """The log-likelihood of the counts under their own share."""
    return sum(n * log(n / counts.total) for n in (counts.good, counts.bad) if n)
