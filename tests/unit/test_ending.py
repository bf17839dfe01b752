"""What an outcome means for the record and its people."""

from __future__ import annotations

import pytest

from backburn.ending import ENDINGS, UNTOUCHED, Ending, status
from backburn.incident import Status


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=list(ENDINGS))
def test_every_ending_says_what_stands(ending: Ending) -> None:
    """Nothing half-applied goes unsaid, and nothing untouched is marked as applied."""
    assert ending.stands.startswith(UNTOUCHED) is not ending.applied
    assert ending.headline[0].isupper()


def test_what_is_parked_is_told_to_the_operators() -> None:
    """It is their turn."""
    parked = {name for name, ending in ENDINGS.items() if ending.status is Status.PARKED}
    assert parked
    assert parked <= {name for name, ending in ENDINGS.items() if ending.operators}


def test_only_a_recovery_waits_for_an_ok_and_not_for_one_that_came() -> None:
    """Nobody awaits what is there already; other endings do not care."""
    for name, ending in ENDINGS.items():
        waits = name == "Recovered"
        assert (status(ending, ok_came=False) is Status.AWAITING_OK) is waits
        came = Status.RECOVERED if waits else ending.status
        assert status(ending, ok_came=True) is came
