from __future__ import annotations

import pytest

from backburn.traces.selftime import coarse, self_ms
from backburn.traces.span import Span
from backburn.traces.tree import trees


def span(start: float | None, ms: float, span_id: str = "a", parent: str | None = None) -> Span:
    """A span by its start and duration."""
    return Span(trace_id="t", span_id=span_id, parent_id=parent, start_ms=start, duration_ms=ms)


@pytest.mark.parametrize(
    ("children", "own"),
    [
        ([], 100),
        ([(10, 20), (50, 10)], 70),
        ([(10, 20), (15, 20)], 75),
        ([(10, 50), (20, 5)], 50),
        ([(90, 40)], 90),
        ([(-30, 40)], 90),
        ([(200, 40)], 100),
        ([(0, 100)], 0),
        ([(0, 0)], 100),
    ],
    ids=[
        "none", "apart", "overlapping", "one in another", "outlives its parent",
        "clock behind", "after its parent", "all of it", "no time at all",
    ],
)  # fmt: skip
def test_self_time_is_what_no_child_covers(children: list[tuple[int, int]], own: float) -> None:
    """The union of the children's intervals, cut to the parent's."""
    assert self_ms(span(0, 100), [span(start, ms) for start, ms in children]) == own


def test_without_starts_durations_are_subtracted() -> None:
    """Parallel children then count twice, but never below nothing."""
    assert self_ms(span(None, 100), [span(None, 30)], by_subtraction=True) == 70
    assert self_ms(span(None, 100), [span(None, 80)] * 2, by_subtraction=True) == 0


@pytest.mark.parametrize(
    ("starts", "expected"),
    [((0, None), True), ((1000, 3000), True), ((1000, 3001), False), ((1000,), False)],
)
def test_starts_on_whole_seconds_are_too_coarse(
    starts: tuple[float | None, ...], expected: bool
) -> None:
    """A store may give no start, or seconds only."""
    (tree,) = trees([span(start, 5, str(i)) for i, start in enumerate(starts)])
    assert coarse(tree) is expected
