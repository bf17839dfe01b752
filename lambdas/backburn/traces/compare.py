"""Where the time of a request goes, in the burn against the baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from backburn.workload import Model

from .charge import callee, origin
from .selftime import coarse, self_ms
from .tree import Tree


class Spent(Model):
    """What one operation of one service costs a request, on average over some traces.

    With a callee it is time spent waiting on that callee, else the operation's own work.
    """

    service: str
    operation: str
    callee: str | None = None
    calls: float = 0.0  # per trace
    ms: float = 0.0  # per trace
    origins: float = 0.0  # share of the traces in which an error began here


class Shift(Model):
    """One operation before and during the burn."""

    service: str
    operation: str
    callee: str | None = None
    baseline: Spent
    burn: Spent

    @property
    def extra_ms(self) -> float:
        """Milliseconds a request lost here."""
        return self.burn.ms - self.baseline.ms


Place = tuple[str, str, str | None]


def spent(trees: Sequence[Tree]) -> dict[Place, Spent]:
    """Per (service, operation, callee): calls, time and error origins of an average trace."""
    calls: dict[Place, int] = defaultdict(int)
    time: dict[Place, float] = defaultdict(float)
    origins: dict[Place, set[int]] = defaultdict(set)
    for number, tree in enumerate(trees):
        by_subtraction = coarse(tree)
        for span in tree.walk():
            children = tree.below(span.span_id)
            place = (span.service, span.name, callee(span, children))
            calls[place] += 1
            time[place] += self_ms(span, children, by_subtraction=by_subtraction)
            if origin(span, children):
                origins[place].add(number)
    traces = len(trees) or 1
    return {
        place: Spent(
            service=place[0],
            operation=place[1],
            callee=place[2],
            calls=calls[place] / traces,
            ms=time[place] / traces,
            origins=len(origins[place]) / traces,
        )
        for place in calls
    }


def shifts(baseline: Sequence[Tree], burn: Sequence[Tree]) -> tuple[Shift, ...]:
    """Every operation seen in either, the largest extra time first."""
    before, during = spent(baseline), spent(burn)
    found = (
        Shift(
            service=place[0],
            operation=place[1],
            callee=place[2],
            baseline=before.get(place, _nothing(place)),
            burn=during.get(place, _nothing(place)),
        )
        for place in dict.fromkeys([*before, *during])
    )
    return tuple(sorted(found, key=lambda s: (-s.extra_ms, s.service, s.operation)))


def failing(trees: Iterable[Tree], who: str) -> int:
    """How many traces hold an error that began while waiting on `who`."""
    return sum(
        any(
            origin(span, below) and callee(span, below) == who
            for span in tree.walk()
            for below in (tree.below(span.span_id),)
        )
        for tree in trees
    )


def _nothing(place: Place) -> Spent:
    return Spent(service=place[0], operation=place[1], callee=place[2])
