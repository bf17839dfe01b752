"""Numbers from telemetry, each with an id and a link: what a diagnosis may cite."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from .sli import Counts, Window
from .traces.compare import Shift
from .traces.span import Span
from .workload import Model

_LEVEL = 0.05  # relative change below which a number neither rose nor fell


class Kind(StrEnum):
    """What a number measures."""

    BAD_SHARE = "bad_share"
    REQUESTS = "requests"
    LATENCY = "latency"
    OWN_TIME = "own_time"
    OPERATION = "operation"  # one operation's part of the own time
    QUEUE = "queue"  # the part of the span that begins the request: own work or waiting to begin
    WAIT = "wait"
    ERRORS = "errors"
    CPU = "cpu"
    MEMORY = "memory"


class Direction(StrEnum):
    """Where a number went, from the baseline to the burn."""

    ROSE = "rose"
    FELL = "fell"
    LEVEL = "level"


class Number(Model):
    """One measured value of the burn window, beside the baseline's."""

    id: str  # E1, E2, ...
    kind: Kind
    what: str
    value: float
    unit: str
    baseline: float | None = None
    link: str = ""
    service: str = ""
    operation: str = ""
    callee: str = ""

    @property
    def direction(self) -> Direction | None:
        """Rose, fell or level; None without a baseline."""
        if self.baseline is None:
            return None
        change = self.value - self.baseline
        if abs(change) <= _LEVEL * max(abs(self.baseline), abs(self.value)):
            return Direction.LEVEL
        return Direction.ROSE if change > 0 else Direction.FELL

    @property
    def extra(self) -> float:
        """What was added to the baseline; 0 if nothing was or none is known."""
        return max(0.0, self.value - (self.value if self.baseline is None else self.baseline))


class Reading(Model):
    """A resource's utilisation over one period, in percent."""

    at: datetime
    mean: float
    highest: float


class Use(Model):
    """A resource over one window, in percent of what the task has."""

    mean: float
    highest: float
    readings: int


class Usage(Model):
    """CPU and memory of the task, where they were published."""

    cpu: Use | None = None
    memory: Use | None = None


class Side(Model):
    """One of the two windows that are compared."""

    window: Window
    counts: Counts
    revisions: tuple[str | None, ...] = ()
    per_minute: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    usage: Usage = Usage()
    traces: int = 0  # whole traces that were looked at


class Neighbour(Model):
    """Another route of the service: what it served in the burn window."""

    route: str
    requests: int
    over: int  # failed, or slower than `limit_ms`
    limit_ms: float  # its own P95 in the baseline
    p95_ms: float


class Evidence(Model):
    """Everything measured about one burn."""

    workload: str
    service: str
    route: str
    slo: str
    slo_name: str
    allowed: float  # share of bad requests that the SLO allows
    burn: Side
    baseline: Side
    onset: datetime | None = None
    numbers: tuple[Number, ...] = ()
    shifts: tuple[Shift, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    exemplars: tuple[Span, ...] = ()

    def number(self, number_id: str) -> Number | None:
        """The number of that id."""
        return next((n for n in self.numbers if n.id == number_id), None)

    def of(self, kind: Kind) -> tuple[Number, ...]:
        """The numbers of one kind, in their order."""
        return tuple(n for n in self.numbers if n.kind is kind)

    def share_of_extra(self, number: Number) -> float:
        """How much of a request's extra time is this number's, queueing aside.

        What is spent in the span that begins the request cannot be told from waiting for a free
        worker, which follows from whatever holds the workers.
        """
        spent = sum(n.extra for n in (*self.of(Kind.OWN_TIME), *self.of(Kind.WAIT)))
        worked = spent - sum(n.extra for n in self.of(Kind.QUEUE))
        return min(1.0, number.extra / worked) if worked > 0 else 0.0

    def headline(self) -> dict[str, float]:
        """The ten numbers at most that the workflow's state carries for a person to read."""
        return {f"{n.id} {n.what} ({n.unit})": round(n.value, 3) for n in self.numbers[:10]}


def use(readings: tuple[Reading, ...]) -> Use | None:
    """Readings summed up; None of none."""
    if not readings:
        return None
    return Use(
        mean=sum(r.mean for r in readings) / len(readings),
        highest=max(r.highest for r in readings),
        readings=len(readings),
    )
