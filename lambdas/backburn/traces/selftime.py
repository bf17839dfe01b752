"""How long a span worked itself: its time not covered by any child."""

from __future__ import annotations

from collections.abc import Iterable

from .span import Span
from .tree import Tree


def coarse(tree: Tree) -> bool:
    """Whether start times are missing or too coarse to say which children ran in parallel."""
    starts = [span.start_ms for span in tree.spans.values()]
    if any(start is None for start in starts):
        return True
    return len(starts) > 1 and all(start is not None and start % 1000 == 0 for start in starts)


def self_ms(span: Span, children: Iterable[Span], *, by_subtraction: bool = False) -> float:
    """The span's duration minus the union of its children's intervals, clipped to its own.

    `by_subtraction` adds the children's durations instead, for traces without usable starts.
    """
    if by_subtraction:
        return max(0.0, span.duration_ms - sum(max(0.0, c.duration_ms) for c in children))
    start, end = span.start_ms or 0.0, span.end_ms
    covered, reached = 0.0, start
    for child in sorted(children, key=lambda c: c.start_ms or 0.0):
        begin = max(reached, child.start_ms or 0.0)
        stop = min(end, child.end_ms)
        if stop > begin:
            covered += stop - begin
            reached = stop
    return max(0.0, end - start - covered)
