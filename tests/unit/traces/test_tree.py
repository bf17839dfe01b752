from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backburn.traces.span import Span
from backburn.traces.tree import trees


def span(span_id: str, parent: str | None = None, start: float = 0, ms: float = 10) -> Span:
    """A span of the trace `t`."""
    return Span(trace_id="t", span_id=span_id, parent_id=parent, start_ms=start, duration_ms=ms)


def test_children_are_ordered_by_start() -> None:
    """Whatever order spans arrive in."""
    (tree,) = trees([span("c", "a", 5), span("b", "a", 1), span("a")])
    assert [s.span_id for s in tree.walk()] == ["a", "b", "c"]
    assert tree.root.span_id == "a"


def test_traces_are_kept_apart() -> None:
    """The same span id may occur in two traces."""
    other = span("a").model_copy(update={"trace_id": "u"})
    assert [len(t.spans) for t in trees([span("a"), other])] == [1, 1]


def test_a_span_without_its_parent_is_a_root() -> None:
    """Partial traces lose nothing that did arrive."""
    (tree,) = trees([span("b", "lost", ms=3), span("a", ms=9)])
    assert set(tree.roots) == {"a", "b"}
    assert tree.root.span_id == "a"


def test_the_first_of_duplicates_counts() -> None:
    """A span that was sent twice is one span."""
    (tree,) = trees([span("a", ms=1), span("a", ms=2)])
    assert [s.duration_ms for s in tree.walk()] == [1.0]


def test_a_loop_of_parents_is_cut_at_its_first_span() -> None:
    """Broken links neither hang nor hide anything."""
    loop = [span("a", "c", 0), span("b", "a", 1), span("c", "b", 2), span("d", "c", 3)]
    (tree,) = trees(loop)
    assert tree.roots == ("a",)
    assert [s.span_id for s in tree.walk()] == ["a", "b", "c", "d"]


def test_a_span_that_is_its_own_parent_is_a_root() -> None:
    """The smallest loop."""
    (tree,) = trees([span("a", "a")])
    assert tree.roots == ("a",)


def test_a_chain_of_many_spans_needs_no_recursion() -> None:
    """Depth is not limited by the interpreter's stack."""
    (tree,) = trees([span(str(i), str(i - 1) if i else None) for i in range(20_000)])
    assert sum(1 for _ in tree.walk()) == 20_000


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25))
def test_every_span_is_walked_once(links: list[tuple[int, int]]) -> None:
    """Any parent links at all."""
    spans = [span(str(own), str(parent)) for own, parent in links]
    walked = [s.span_id for tree in trees(spans) for s in tree.walk()]
    assert sorted(walked) == sorted({s.span_id for s in spans})
