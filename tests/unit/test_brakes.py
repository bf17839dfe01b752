from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from backburn import brakes
from backburn.errors import Braked
from backburn.workload import Freeze, Limits
from tests.fakes.patient import chatbot

NOW = datetime(2026, 12, 24, 12, 0, tzinfo=UTC)
HOLIDAYS = Freeze(start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1), why="holidays")
FROZEN = chatbot(limits=Limits(freeze=(HOLIDAYS,)))


def test_law_10_nothing_is_on_by_default() -> None:
    """No switch, no freeze."""
    assert brakes.reason(chatbot(), NOW, None) is None
    brakes.check(chatbot(), NOW, None)


def test_law_10_the_kill_switch_comes_first() -> None:
    """What it says is what is told."""
    assert brakes.reason(FROZEN, NOW, "the kill switch is on: audit") == (
        "the kill switch is on: audit"
    )


@pytest.mark.parametrize(
    ("after", "frozen"),
    [(-3601, False), (-3600, True), (0, True), (3599, True), (3600, False)],
)
def test_law_10_a_freeze_holds_from_its_start_to_its_end(after: int, frozen: bool) -> None:
    """The end itself is free again."""
    why = brakes.reason(FROZEN, NOW + timedelta(seconds=after), None)
    assert (why is not None) is frozen
    assert why in {None, "chatbot is frozen until 2026-12-24 13:00 UTC: holidays"}


def test_law_10_a_brake_that_is_on_is_an_answer() -> None:
    """The state machine catches it by this name."""
    with pytest.raises(Braked, match="holidays"):
        brakes.check(FROZEN, NOW, None)


def test_a_cap_that_is_reached_says_so() -> None:
    """With the number that the user wrote."""
    workload = chatbot(limits=Limits(changes_per_day=2))
    assert brakes.capped(workload) == "chatbot may have 2 changes a day, and has had them"


def test_the_day_is_the_same_for_everybody() -> None:
    """Counted in UTC, wherever the clock stands."""
    tokyo = timezone(timedelta(hours=9))
    assert brakes.day(datetime(2026, 12, 25, 1, 0, tzinfo=tokyo)) == "2026-12-24"
