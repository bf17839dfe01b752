from __future__ import annotations

import pytest

from backburn.diagnosis import Cause
from backburn.errors import Inconclusive
from backburn.evidence import Evidence, Kind
from backburn.rules import reason
from backburn.sli import Counts
from tests.fakes.findings import evidence, failing, number, starved, waiting


@pytest.mark.parametrize(
    ("measured", "cause", "operation", "callee", "cited"),
    [
        (starved(), Cause.OWN_CPU, "rag.vector_search", "", ["E1", "E2"]),
        (waiting(), Cause.DEPENDENCY_LATENCY, "chat", "aws.bedrock", ["E3"]),
        (failing(), Cause.DEPENDENCY_ERRORS, "chat", "aws.bedrock", ["E4"]),
    ],
    ids=["starved", "waiting", "failing"],
)
def test_the_cause_is_named_with_its_numbers(
    measured: Evidence, cause: Cause, operation: str, callee: str, cited: list[str]
) -> None:
    """Each cause of the table, where it is."""
    found = reason(measured)
    assert (cause, operation, callee) == (found.cause, found.operation, found.callee)
    assert cited == [claim.number for claim in found.claims]
    assert 0.5 < found.confidence <= 0.95


def test_queueing_behind_a_slow_dependency_is_the_dependencys() -> None:
    """Time in the request's first span follows from what holds the workers."""
    queued = evidence(
        number(Kind.CPU, 30, 45),
        number(Kind.OWN_TIME, 9000, 150),
        number(Kind.QUEUE, 8800, 10, operation="POST"),
        number(Kind.WAIT, 3000, 350, callee="aws.bedrock", operation="chat"),
    )
    assert reason(queued).cause is Cause.DEPENDENCY_LATENCY


def test_law_4_own_time_without_cpu_is_not_diagnosed() -> None:
    """A lock or a sleep in the service's own code is none of the table's causes."""
    stuck = evidence(
        number(Kind.CPU, 30, 45),
        number(Kind.OWN_TIME, 9000, 150),
        number(Kind.QUEUE, 8900, 10, operation="POST"),
        number(Kind.WAIT, 355, 350, callee="aws.bedrock", operation="chat"),
    )
    with pytest.raises(Inconclusive, match="nothing stands out"):
        reason(stuck)


def test_law_4_a_healthy_window_is_left_alone() -> None:
    """Whatever the task's CPU does, without a burn there is nothing to explain."""
    fine = starved().model_copy(update={"burn": waiting().baseline})
    with pytest.raises(Inconclusive, match="not measured above"):
        reason(fine)


@pytest.mark.parametrize(
    ("burn", "baseline", "said"),
    [
        (Counts(good=10, bad=10), Counts(good=99, bad=1), "burn window, needs 10 more"),
        (Counts(good=300, bad=300), Counts(good=3), "baseline window, needs 27 more"),
        (Counts(bad=600), Counts(good=1, bad=999), "it is the SLI"),
        (Counts(good=280, bad=20), Counts(good=594, bad=6), "not measured above"),
        (Counts(good=500, bad=100), Counts(good=510, bad=90), "does not stand out"),
    ],
)
def test_law_4_what_is_no_burn_is_said(burn: Counts, baseline: Counts, said: str) -> None:
    """Too little traffic, a broken SLI, or nothing unusual."""
    with pytest.raises(Inconclusive, match=said):
        reason(evidence(*starved().numbers, burn=burn, baseline=baseline))


def test_law_4_two_causes_at_once_are_said_not_guessed() -> None:
    """The contradiction is what the operator hears."""
    both = evidence(
        *starved().numbers, number(Kind.ERRORS, 0.9, 0.0, callee="aws.bedrock", operation="chat")
    )
    with pytest.raises(Inconclusive, match="contradicts itself"):
        reason(both)
