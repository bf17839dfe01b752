from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backburn.errors import BurnEnded
from backburn.evidence import Evidence
from backburn.sli import Window
from backburn.steps.confirm_burn import confirm_burn
from backburn.steps.query_traces import Measuring, windows
from backburn.steps.verify import verify
from backburn.verdict import Verdict, Word
from backburn.workload import Workloads
from tests.fakes.metrics import FakeMetrics
from tests.fakes.patient import CHAT_LATENCY, chatbot
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.traffic import SLI, Chat, requests

OPENED = datetime(2026, 11, 24, 12, 0, 7, tzinfo=UTC)
BURN, BASELINE = windows(chatbot(), OPENED, 1, OPENED + timedelta(seconds=5))
SETTLED = OPENED + timedelta(seconds=200)
BAD, GOOD = Chat(model_ms=3000), Chat(revision="8")


def burning() -> tuple[FakeTelemetry, Evidence]:
    """A burn under revision 7, measured."""
    telemetry = FakeTelemetry(CHAT_LATENCY, SLI)
    telemetry.events += requests(BASELINE, 2, Chat())
    telemetry.events += requests(BURN, 2, BAD)
    measuring = Measuring(chatbot(), "chat-latency", telemetry, FakeMetrics())
    return telemetry, measuring.evidence(BURN, BASELINE)


def after(seconds: int, per_second: float, *kinds: Chat, look: int = 1) -> Verdict:
    """The verdict when these were served for so long since the change settled."""
    telemetry, evidence = burning()
    end = SETTLED + timedelta(seconds=seconds)
    telemetry.events += requests(Window(start=SETTLED, end=end), per_second, *kinds)
    return verify(chatbot(), evidence, look, SETTLED, telemetry, end)


def test_good_answers_in_numbers_are_a_recovery() -> None:
    """Enough good requests put the upper bound within what the SLO allows."""
    verdict = after(120, 2, GOOD)
    assert (verdict.verdict, verdict.after.bad) == (Word.RECOVERED, 0)
    assert verdict.after.p95_ms is not None


def test_law_6_too_few_requests_are_no_recovery() -> None:
    """Good but few requests say how many more are needed."""
    verdict = after(50, 2, GOOD)
    assert Word.UNKNOWN is verdict.verdict
    assert verdict.needs is not None
    assert f"needs {verdict.needs} more requests" in verdict.reason


def test_law_6_silence_is_no_recovery() -> None:
    """No data at all is unknown."""
    verdict = after(120, 0)
    assert (verdict.verdict, verdict.reason.startswith("no data")) == (Word.UNKNOWN, True)


def test_law_6_a_vanished_load_is_no_recovery() -> None:
    """A third of the requests is another world, however good."""
    verdict = after(600, 0.6, GOOD)
    assert (verdict.verdict, "load changed" in verdict.reason) == (Word.UNKNOWN, True)


def test_law_6_another_revision_in_the_window_is_no_recovery() -> None:
    """Two revisions side by side cannot be told apart as cause."""
    verdict = after(120, 2, GOOD, Chat(revision="9"))
    assert (verdict.verdict, "another revision" in verdict.reason) == (Word.UNKNOWN, True)


def test_law_6_healing_under_the_old_revision_is_no_recovery() -> None:
    """If the burn's own revision still serves, the change did nothing."""
    verdict = after(120, 2, Chat(revision="7"))
    assert (verdict.verdict, "still serves" in verdict.reason) == (Word.UNKNOWN, True)


def test_the_same_badness_is_unchanged() -> None:
    """Intervals that overlap, far above what is allowed."""
    assert Word.UNCHANGED is after(120, 2, Chat(model_ms=3000, revision="8")).verdict


def test_the_newest_requests_are_left_out_until_the_slow_ones_have_ended() -> None:
    """The newest seconds know only the fast requests and are left out."""
    verdict = after(120, 2, GOOD)
    running = 1  # P99 is about half a second
    assert verdict.window.end == SETTLED + timedelta(seconds=120 - 5 - running)
    assert verdict.window.start == SETTLED + timedelta(seconds=10)


def test_a_look_costs_two_query_results() -> None:
    """Ten a minute are shared with everybody of the team."""
    telemetry, evidence = burning()
    asked = len(telemetry.asked)
    verify(chatbot(), evidence, 1, SETTLED, telemetry, SETTLED + timedelta(seconds=120))
    assert len(telemetry.asked) - asked <= 2


@pytest.mark.parametrize(
    ("dataset", "column", "value", "looked_at"),
    [
        ("otel-ai-chatbot-backend", "http.target", "/api/ingest", True),  # judged as a route
        ("otel-ai-chatbot-backend", "http.target", "/api/quiet", False),  # too little traffic
        ("otel-ai-chatbot-backend", "http.route", "/api/ingest", False),
        ("billing", "http.target", "/api/ingest", False),  # a query of its own would be needed
    ],
)
def test_a_workload_of_the_stack_that_was_not_looked_at_is_named(
    dataset: str, column: str, value: str, *, looked_at: bool
) -> None:
    """A look costs two query results; whom they do not show, the verdict does not vouch for."""
    telemetry = FakeTelemetry(CHAT_LATENCY, SLI)
    telemetry.events += requests(BASELINE, 2, Chat())
    telemetry.events += requests(BURN, 2, BAD)
    end = SETTLED + timedelta(seconds=120)
    for window in (BASELINE, BURN, Window(start=SETTLED, end=end)):
        telemetry.events += requests(window, 1, Chat(route="/api/ingest", revision="8"))
    telemetry.events += requests(Window(start=SETTLED, end=end), 2, GOOD)
    measuring = Measuring(chatbot(), "chat-latency", telemetry, FakeMetrics())
    evidence = measuring.evidence(BURN, BASELINE)
    other = chatbot(name="other", dataset=dataset, route={"column": column, "value": value})
    asked = len(telemetry.asked)
    verdict = verify(chatbot(), evidence, 1, SETTLED, telemetry, end, others=[other])
    assert verdict.verdict is Word.RECOVERED
    assert verdict.unwatched == (() if looked_at else ("other",))
    assert verdict.reason.endswith("; of the same stack, not looked at: other") is not looked_at
    assert len(telemetry.asked) - asked <= 2


def test_beside_a_workload_are_those_of_its_stack() -> None:
    """The same program and the same stack of it; a stack's name alone says nothing."""
    program = chatbot().program.model_dump()
    workloads = Workloads(
        version=1,
        operators=("ops@example.com",),
        workloads=(
            chatbot(),
            chatbot(name="same", slos=["a"]),
            chatbot(name="elsewhere", slos=["b"], program=program | {"bundle": "programs/b.zip"}),
            chatbot(name="staging", slos=["c"], program=program | {"stack": "staging"}),
        ),
    )
    assert [w.name for w in workloads.beside(chatbot())] == ["same"]


def test_old_beside_new_is_shown_as_the_control() -> None:
    """Where both revisions served at once, that comparison is part of the verdict."""
    telemetry, evidence = burning()
    overlap = Window(start=SETTLED - timedelta(seconds=40), end=SETTLED)
    end = SETTLED + timedelta(seconds=120)
    telemetry.events += requests(overlap, 4, BAD, GOOD)
    telemetry.events += requests(Window(start=SETTLED, end=end), 2, GOOD)
    verdict = verify(chatbot(), evidence, 1, SETTLED, telemetry, end)
    assert verdict.control is not None
    assert (verdict.control.before.share, verdict.control.after.share) == (1, 0)


def test_a_burn_that_goes_on_is_confirmed() -> None:
    """The bad share of the latest window is still above what is allowed."""
    telemetry, _ = burning()
    counts, allowed, _ = confirm_burn(
        chatbot(), "chat-latency", telemetry, OPENED + timedelta(seconds=5)
    )
    assert counts.share > allowed


@pytest.mark.parametrize("served", [True, False])
def test_a_burn_that_ended_stops_the_change(served: bool) -> None:
    """Good requests, or none, are no reason to change anything."""
    telemetry, _ = burning()
    end = OPENED + timedelta(seconds=100)
    if served:
        telemetry.events += requests(Window(start=OPENED, end=end), 2, Chat())
    with pytest.raises(BurnEnded):
        confirm_burn(chatbot(), "chat-latency", telemetry, end)
