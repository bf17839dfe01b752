"""Spans of one trace put into a tree, whatever state they arrive in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from backburn.workload import Model

from .span import Span


class Tree(Model):
    """A trace: its spans by id, who called whom, and where it begins.

    A span whose parent never arrived is a root; a duplicate id keeps its first span; a loop of
    parents is cut at the span of the loop that starts first.
    """

    spans: Mapping[str, Span]
    children: Mapping[str, tuple[str, ...]]
    roots: tuple[str, ...]

    def below(self, span_id: str) -> tuple[Span, ...]:
        """The direct children, by start."""
        return tuple(self.spans[child] for child in self.children.get(span_id, ()))

    def walk(self) -> Iterator[Span]:
        """Every span once, callers before callees."""
        waiting = list(reversed(self.roots))
        while waiting:
            span_id = waiting.pop()
            yield self.spans[span_id]
            waiting.extend(reversed(self.children.get(span_id, ())))

    @property
    def root(self) -> Span:
        """The span the trace is named after: the longest of those that begin it."""
        return max((self.spans[r] for r in self.roots), key=lambda span: span.duration_ms)


def trees(spans: Iterable[Span]) -> tuple[Tree, ...]:
    """One tree per trace id, in order of appearance."""
    by_trace: dict[str, list[Span]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    return tuple(_tree(members) for members in by_trace.values())


def _tree(members: list[Span]) -> Tree:
    spans: dict[str, Span] = {}
    for span in members:
        spans.setdefault(span.span_id, span)
    parents = _parents(spans)
    children: dict[str, list[str]] = {}
    for span_id, parent in parents.items():
        if parent is not None:
            children.setdefault(parent, []).append(span_id)
    return Tree(
        spans=spans,
        children={
            parent: tuple(sorted(ids, key=lambda i: (spans[i].start_ms or 0.0, i)))
            for parent, ids in children.items()
        },
        roots=tuple(span_id for span_id, parent in parents.items() if parent is None),
    )


def _parents(spans: Mapping[str, Span]) -> dict[str, str | None]:
    """Each span's parent among the spans that arrived, with every loop cut once."""
    parents = {
        span_id: span.parent_id if span.parent_id in spans else None
        for span_id, span in spans.items()
    }
    settled: set[str] = set()
    for span_id in spans:
        path: list[str] = []
        on_path: set[str] = set()
        at: str | None = span_id
        while at is not None and at not in settled and at not in on_path:
            path.append(at)
            on_path.add(at)
            at = parents[at]
        if at is not None and at in on_path:
            loop = path[path.index(at) :]
            parents[min(loop, key=lambda i: (spans[i].start_ms or 0.0, i))] = None
        settled.update(path)
    return parents
