from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backburn import rules
from backburn.diagnosis import Cause
from backburn.errors import Inconclusive
from backburn.evidence import Evidence, Kind
from backburn.sli import Window
from backburn.steps.query_traces import Measuring, plan, windows
from tests.fakes.metrics import FakeMetrics
from tests.fakes.patient import CHAT_LATENCY, chatbot
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.traffic import SLI, Chat, requests

OPENED = datetime(2026, 11, 24, 12, 0, 7, tzinfo=UTC)
BURN, BASELINE = windows(chatbot(), OPENED, 1, OPENED + timedelta(seconds=5))


def world(before: Chat, *during: Chat) -> FakeTelemetry:
    """Two windows of traffic."""
    telemetry = FakeTelemetry(CHAT_LATENCY, SLI)
    telemetry.events += requests(BASELINE, 2, before)
    telemetry.events += requests(BURN, 2, *during)
    return telemetry


def measured(telemetry: FakeTelemetry, cpu: tuple[int, int] = (40, 40)) -> Evidence:
    """The evidence, with the task's CPU before and during."""
    metrics = FakeMetrics()
    for window, percent in zip((BASELINE, BURN), cpu, strict=True):
        metrics.publish(Kind.CPU, window, percent)
    return Measuring(chatbot(), "chat-latency", telemetry, metrics).evidence(BURN, BASELINE)


def test_windows_end_with_the_alert_and_lie_apart() -> None:
    """The burn window ends with the alert; the baseline ends a gap before it."""
    assert Window(start=OPENED - timedelta(seconds=120), end=OPENED) == BURN
    assert BASELINE.end == OPENED - timedelta(seconds=120)
    assert BASELINE.seconds == 180


def test_seconds_not_yet_ingested_are_left_out() -> None:
    """The burn window ends an ingest lag before now if that is earlier than the alert."""
    burn, _ = windows(chatbot(), OPENED, 1, OPENED)
    assert burn.end == OPENED - timedelta(seconds=5)


def test_a_later_attempt_measures_now_against_the_time_before_the_alert() -> None:
    """Attempt 2 looks at the latest data, with the baseline of the alert."""
    burn, baseline = windows(chatbot(), OPENED, 2, OPENED + timedelta(hours=1))
    assert burn.end == OPENED + timedelta(hours=1, seconds=-5)
    assert baseline == BASELINE


def test_production_windows_lie_on_whole_minutes() -> None:
    """Windows of the default length start and end on the minute."""
    workload = chatbot(windows={})
    for window in windows(workload, OPENED, 1, OPENED + timedelta(minutes=2)):
        assert window.first % 60 == window.last % 60 == 0


def test_at_most_eight_query_results_are_created() -> None:
    """The evidence leaves room under Honeycomb's ten a minute."""
    telemetry = world(Chat(), Chat(own_ms=900, model_ms=600))
    measured(telemetry)
    assert len(telemetry.asked) <= 8


def test_a_starved_task_is_its_own_cause() -> None:
    """CPU at its limit outweighs waits that grew with it."""
    evidence = measured(world(Chat(), Chat(own_ms=900, model_ms=2000)), cpu=(40, 99))
    diagnosis = rules.reason(evidence)
    assert (
        diagnosis.cause,
        diagnosis.operation,
        diagnosis.cures,
    ) == (Cause.OWN_CPU, "rag.vector_search", ("ecs.task_size",))
    assert evidence.burn.counts.share == 1
    assert evidence.baseline.counts.share == 0


def test_waiting_on_the_model_is_the_models() -> None:
    """Time spent in a client span is charged to what it waits on."""
    diagnosis = rules.reason(measured(world(Chat(), Chat(model_ms=4000)), cpu=(40, 42)))
    assert (
        diagnosis.cause,
        diagnosis.callee,
        diagnosis.cures,
    ) == (Cause.DEPENDENCY_LATENCY, "aws.bedrock", ())


def test_a_throttling_model_is_the_models() -> None:
    """Errors that begin at the model's span, with CPU to spare, are the dependency's."""
    telemetry = world(Chat(), Chat(throttled=True, model_ms=900), Chat())
    diagnosis = rules.reason(measured(telemetry, cpu=(40, 30)))
    assert (diagnosis.cause, diagnosis.callee) == (Cause.DEPENDENCY_ERRORS, "aws.bedrock")


def test_a_healthy_service_is_left_alone() -> None:
    """Nothing is blamed where nothing burns."""
    with pytest.raises(Inconclusive, match="not measured above"):
        rules.reason(measured(world(Chat(), Chat(own_ms=160)), cpu=(40, 99)))


def test_the_onset_is_found_in_the_data() -> None:
    """The burn's begin comes from the bad share, not from the alert's clock."""
    telemetry = world(Chat())
    middle = BURN.start + timedelta(seconds=60)
    telemetry.events += requests(Window(start=BURN.start, end=middle), 2, Chat())
    telemetry.events += requests(Window(start=middle, end=BURN.end), 2, Chat(model_ms=3000))
    assert measured(telemetry).onset == middle


def test_the_plan_carries_the_workloads_waiting_times() -> None:
    """What the workflow waits for comes from workloads.yaml."""
    assert plan(chatbot()) == {
        "approval_seconds": 3600,
        "soak_seconds": 60,
        "look_seconds": 60,
        "looks": 5,
        "poll_seconds": 15,
    }
