from __future__ import annotations

import pytest

from backburn.traces.compare import origins, shifts
from backburn.traces.span import Span
from backburn.traces.tree import Tree, trees


def chat(own: float, model: float, *, failed: bool = False) -> Tree:
    """A request that works, then waits on a model."""
    spans = [
        Span(trace_id="t", span_id="r", service="s", name="POST", start_ms=0.5,
             duration_ms=own + model, error=failed),
        Span(trace_id="t", span_id="m", parent_id="r", service="s", name="chat", kind="client",
             start_ms=0.5 + own, duration_ms=model, error=failed,
             attributes={"gen_ai.system": "aws.bedrock"}),
    ]  # fmt: skip
    (tree,) = trees(spans)
    return tree


def test_extra_time_is_told_by_operation_and_callee() -> None:
    """The largest extra first; own work and waiting apart."""
    wait, own = shifts([chat(100, 200)], [chat(110, 900), chat(130, 900)])
    assert (wait.operation, wait.callee, wait.extra_ms) == ("chat", "aws.bedrock", 700)
    assert (own.operation, own.callee, own.begins) == ("POST", None, True)
    assert own.extra_ms == pytest.approx(20)


def test_operations_of_only_one_side_are_kept() -> None:
    """Calls that appeared or vanished are shifts too."""
    found = shifts([], [chat(1, 2)])
    assert {0} == {s.baseline.calls for s in found}
    assert {1} == {s.burn.calls for s in found}
    assert shifts([], []) == ()


def test_errors_are_told_by_where_they_began() -> None:
    """The share of requests they touched, not the number of failed spans."""
    (found,) = origins([chat(1, 2)], [chat(1, 2, failed=True), chat(1, 2)])
    assert (
        found.operation,
        found.callee,
        found.baseline,
        found.burn,
    ) == ("chat", "aws.bedrock", 0, 0.5)
