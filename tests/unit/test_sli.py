from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backburn.sli import Counts, Series, Slot, Window, slot_seconds, window_ending

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AT = int(NOON.timestamp())


def window(since: int, until: int) -> Window:
    """Seconds after noon."""
    return Window(start=NOON + timedelta(seconds=since), end=NOON + timedelta(seconds=until))


def series(*slots: tuple[int, int, int], seconds: int = 10, revision: str | None = "7") -> Series:
    """Slots of (seconds after noon, good, bad)."""
    return Series(
        seconds=seconds,
        link="",
        slots=tuple(
            Slot(at=AT + at, revision=revision, counts=Counts(good=good, bad=bad))
            for at, good, bad in slots
        ),
    )


def test_a_share_of_nothing_is_nothing() -> None:
    """No requests, no bad share."""
    assert Counts().share == 0
    assert Counts(good=3, bad=1).share == 0.25


def test_a_window_ends_on_the_edge_of_a_slot() -> None:
    """Both ends are cut down to the slot."""
    found = window_ending(NOON + timedelta(seconds=59), 120, 60)
    assert found == window(-120, 0)
    assert window_ending(NOON + timedelta(seconds=59), 120, 1) == window(-61, 59)


def test_slots_are_seconds_only_where_minutes_are_too_coarse() -> None:
    """Twenty minutes of seconds stay within a result's rows; a day does not."""
    assert (slot_seconds(60), slot_seconds(1200), slot_seconds(1201)) == (1, 1, 60)


def test_only_whole_slots_are_within() -> None:
    """A slot that sticks out of the window is not counted."""
    found = series((0, 1, 0), (10, 2, 0), (20, 4, 0)).within(window(5, 29))
    assert found.counts.total == 2


def test_a_window_that_ends_before_it_starts_is_empty() -> None:
    """Its length is never negative."""
    assert window(10, 0).seconds == 0


def test_revisions_come_in_order_of_appearance() -> None:
    """Whoever served first is first."""
    both = series((10, 1, 0), revision="8").slots + series((0, 1, 0)).slots
    assert series().model_copy(update={"slots": both}).revisions == ("7", "8")
    assert series((0, 1, 0)).serving("8").counts.total == 0


def test_missing_counts_empty_buckets() -> None:
    """Two of four buckets have no request."""
    found = series((0, 1, 0), (30, 1, 0))
    assert found.missing(window(0, 40), 10) == 0.5
    assert found.missing(window(0, 5), 10) == 0


def test_the_newest_request_is_the_end_of_its_slot() -> None:
    """None without any."""
    assert series((0, 1, 0), (30, 1, 0)).newest == AT + 40
    assert series().newest is None


def test_the_onset_is_where_the_share_rose() -> None:
    """The most likely change point."""
    quiet = [(at, 20, 1) for at in range(0, 100, 10)]
    burning = [(at, 5, 15) for at in range(100, 160, 10)]
    assert series(*quiet, *burning).onset() == NOON + timedelta(seconds=100)


@pytest.mark.parametrize(
    "slots",
    [
        [],
        [(0, 10, 0)],
        [(at, 20, at % 20 // 10) for at in range(0, 100, 10)],
        [(at, 0 if at < 50 else 20, 20 if at < 50 else 0) for at in range(0, 100, 10)],
    ],
    ids=["nothing", "one slot", "noise", "a recovery"],
)
def test_no_onset_where_nothing_got_worse(slots: list[tuple[int, int, int]]) -> None:
    """Noise and improvements are no onset."""
    assert series(*slots).onset() is None


def test_the_rate_is_that_up_to_the_newest_request() -> None:
    """What still runs has not been told: the silence after the newest request is no lull."""
    found = series((0, 10, 0), (10, 10, 0))
    assert found.per_minute(window(0, 60)) == 60
    assert series().per_minute(window(0, 60)) == 0
