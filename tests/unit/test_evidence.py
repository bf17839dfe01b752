from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backburn.evidence import Direction, Evidence, Kind, Reading, use
from tests.fakes.findings import evidence, number, starved


@pytest.mark.parametrize(
    ("value", "baseline", "direction"),
    [
        (10, None, None),
        (10, 5, Direction.ROSE),
        (5, 10, Direction.FELL),
        (10.2, 10, Direction.LEVEL),
        (0, 0, Direction.LEVEL),
        (0.1, 0, Direction.ROSE),
    ],
)
def test_a_number_rose_fell_or_stayed(
    value: float, baseline: float | None, direction: Direction | None
) -> None:
    """A twentieth is no change; without a baseline nothing is said."""
    assert number(Kind.WAIT, value, baseline).direction is direction


def test_extra_is_never_negative() -> None:
    """What was saved is not somebody else's extra."""
    assert tuple(
        number(Kind.WAIT, value, before).extra for value, before in ((15, 10), (5, 10), (5, None))
    ) == (5, 0, 0)


def test_shares_of_the_extra_time_leave_queueing_out() -> None:
    """Of 100 ms extra 60 were queueing; of the rest a quarter is own work."""
    found = evidence(
        number(Kind.OWN_TIME, 80, 10), number(Kind.QUEUE, 70, 10), number(Kind.WAIT, 40, 10)
    )
    assert found.share_of_extra(found.numbers[2]) == 0.75
    assert evidence(number(Kind.WAIT, 1, 1)).share_of_extra(number(Kind.WAIT, 1, 1)) == 0


def test_evidence_survives_its_artifact() -> None:
    """What is written can be read back."""
    assert starved() == Evidence.model_validate_json(starved().model_dump_json())


def test_the_headline_has_ten_numbers_at_most() -> None:
    """The workflow's state stays readable."""
    many = evidence(*(number(Kind.WAIT, i, 0) for i in range(30)))
    assert len(many.headline()) == 10
    assert starved().headline()["E1 cpu (%)"] == 98
    assert starved().number("E31") is None


def test_readings_are_summed_up() -> None:
    """Mean of the means, highest of the highest."""
    at = datetime(2026, 11, 24, tzinfo=UTC)
    readings = (Reading(at=at, mean=40, highest=50), Reading(at=at, mean=60, highest=99))
    found = use(readings)
    assert found is not None
    assert (found.mean, found.highest, found.readings) == (50, 99, 2)
    assert use(()) is None
