from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburn.bounds import enough, lower, upper


@pytest.mark.parametrize(
    ("allowed", "needed"),
    [
        (0.05, [59, 93, 124, 153, 208]),
        (0.01, [299, 473, 628, 773, 1049]),
        (0.005, [598, 947, 1258, 1549, 2100]),
    ],
)
def test_the_published_sample_sizes(allowed: float, needed: list[int]) -> None:
    """Requests after which 0, 1, 2, 3 and 5 bad ones are within the allowance, at 95 %."""
    for bad, total in zip((0, 1, 2, 3, 5), needed, strict=True):
        assert upper(bad, total, 0.05) <= allowed < upper(bad, total - 1, 0.05)


def test_none_bad_has_a_closed_form() -> None:
    """With none bad the upper bound is 1 - alpha ** (1/n)."""
    assert upper(0, 90, 0.01) == pytest.approx(1 - 0.01 ** (1 / 90), abs=1e-12)


@given(total=st.integers(1, 60), data=st.data(), alpha=st.sampled_from([0.05, 0.01]))
def test_the_bounds_are_exact(total: int, data: st.DataObject, alpha: float) -> None:
    """At either bound the binomial tail has exactly the error asked for."""
    bad = data.draw(st.integers(0, total))

    def at_most(p: float, most: int) -> float:
        return sum(comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(most + 1))

    high, low = upper(bad, total, alpha), lower(bad, total, alpha)
    assert low <= bad / total <= high
    if bad < total:
        assert at_most(high, bad) == pytest.approx(alpha, rel=1e-6)
    if bad > 0:
        assert 1 - at_most(low, bad - 1) == pytest.approx(alpha, rel=1e-6)


def test_nothing_measured_rules_nothing_out() -> None:
    """Of no requests the share may be anything."""
    assert (lower(0, 0, 0.05), upper(0, 0, 0.05)) == (0, 1)


def test_all_bad_has_no_upper_bound_below_one() -> None:
    """Every request bad leaves every larger share possible."""
    assert upper(7, 7, 0.05) == 1
    assert lower(7, 7, 0.05) == pytest.approx(0.05 ** (1 / 7))


def test_large_samples_stay_exact() -> None:
    """A day of traffic is no different."""
    assert upper(5_000, 100_000, 0.01) == pytest.approx(0.0516, abs=1e-4)
    assert lower(5_000, 100_000, 0.01) == pytest.approx(0.0484, abs=1e-4)


def test_how_many_are_enough() -> None:
    """The smallest sample that shows a share to be within the allowance."""
    assert enough(0.0, 0.05, 0.01) == 90
    assert enough(0.0, 0.001, 0.05) == 2995


def test_no_number_is_enough_for_a_share_above_the_allowance() -> None:
    """More requests of the same badness show nothing good."""
    assert enough(0.05, 0.05, 0.01) is None
    assert enough(0.0499999, 0.05, 0.01) is None
