"""Where the time of a request goes, in the burn against the baseline."""

from __future__ import annotations

from collections import Counter, defaultdict
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


class Shift(Model):
    """One operation before and during the burn."""

    service: str
    operation: str
    callee: str | None = None
    begins: bool = False  # whether its spans begin the traces: time there may be queueing
    baseline: Spent
    burn: Spent

    @property
    def extra_ms(self) -> float:
        """Milliseconds a request lost here."""
        return self.burn.ms - self.baseline.ms


class Origin(Model):
    """Errors that began at one place: the share of requests they touched, before and during."""

    service: str
    operation: str
    callee: str | None = None
    baseline: float
    burn: float


Place = tuple[str, str, str | None]


def spent(trees: Sequence[Tree]) -> dict[Place, Spent]:
    """Per (service, operation, callee): calls and time of an average trace."""
    calls: dict[Place, int] = defaultdict(int)
    time: dict[Place, float] = defaultdict(float)
    for tree in trees:
        by_subtraction = coarse(tree)
        for span in tree.walk():
            children = tree.below(span.span_id)
            place = (span.service, span.name, callee(span, children))
            calls[place] += 1
            time[place] += self_ms(span, children, by_subtraction=by_subtraction)
    traces = len(trees) or 1
    return {
        place: Spent(
            service=place[0],
            operation=place[1],
            callee=place[2],
            calls=calls[place] / traces,
            ms=time[place] / traces,
        )
        for place in calls
    }


def shifts(baseline: Sequence[Tree], burn: Sequence[Tree]) -> tuple[Shift, ...]:
    """Every operation seen in either, the largest extra time first."""
    before, during = spent(baseline), spent(burn)
    roots = {(tree.root.service, tree.root.name) for tree in (*baseline, *burn)}
    found = (
        Shift(
            service=place[0],
            operation=place[1],
            callee=place[2],
            begins=place[:2] in roots,
            baseline=before.get(place, _nothing(place)),
            burn=during.get(place, _nothing(place)),
        )
        for place in dict.fromkeys([*before, *during])
    )
    return tuple(sorted(found, key=lambda s: (-s.extra_ms, s.service, s.operation)))


def origins(baseline: Sequence[Tree], burn: Sequence[Tree]) -> tuple[Origin, ...]:
    """Where errors began, by the share of requests they touched in the burn."""
    before, during = _touched(baseline), _touched(burn)
    found = [
        Origin(
            service=where[0],
            callee=where[1],
            operation=Counter(during[where] or before[where]).most_common(1)[0][0],
            baseline=len(before[where]) / (len(baseline) or 1),
            burn=len(during[where]) / (len(burn) or 1),
        )
        for where in {**before, **during}
    ]
    return tuple(sorted(found, key=lambda o: (-o.burn, o.service, o.operation)))


def _touched(trees: Iterable[Tree]) -> dict[tuple[str, str | None], list[str]]:
    """Per (service, callee): of each trace with an error that began there, one operation."""
    found: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for tree in trees:
        here: dict[tuple[str, str | None], str] = {}
        for span in tree.walk():
            children = tree.below(span.span_id)
            if origin(span, children):
                here.setdefault((span.service, callee(span, children)), span.name)
        for where, operation in here.items():
            found[where].append(operation)
    return found


def _nothing(place: Place) -> Spent:
    return Spent(service=place[0], operation=place[1], callee=place[2])
