"""Exact bounds on a share (Clopper and Pearson), one-sided, without a distribution assumption."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp, lgamma, log, log1p

_TINY = 1e-300
_BISECTIONS = 60  # leaves 1e-18 of the unit interval, below a float's resolution near 1
_SEARCH_LIMIT = 10_000_000  # requests; above this an answer would help nobody


def upper(bad: int, total: int, alpha: float) -> float:
    """The largest share that `bad` of `total` does not rule out at error `alpha`."""
    if bad >= total:
        return 1.0
    # P(X <= bad | p) = I(1-p; total-bad, bad+1) falls in p: find where it meets alpha.
    return _solve(lambda p: _beta(total - bad, bad + 1, 1 - p) > alpha)


def lower(bad: int, total: int, alpha: float) -> float:
    """The smallest share that `bad` of `total` does not rule out at error `alpha`."""
    if bad <= 0 or total <= 0:
        return 0.0
    # P(X >= bad | p) = I(p; bad, total-bad+1) rises in p.
    return _solve(lambda p: _beta(bad, total - bad + 1, p) < alpha)


def enough(share: float, allowed: float, alpha: float) -> int | None:
    """Requests after which a true bad share of `share` is shown to be within `allowed`.

    None if no number is enough, because the share is not below what is allowed.
    """
    if share >= allowed:
        return None

    def shown(total: int) -> bool:
        return upper(ceil(share * total), total, alpha) <= allowed

    high = 1
    while not shown(high):
        high *= 2
        if high > _SEARCH_LIMIT:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def _solve(below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I(x; a, b)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Its continued fraction by Lentz's method; converges in about sqrt(max(a, b)) steps."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 20_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + step * d)
            c = _away(1 + step / c)
            value *= d * c
        if abs(d * c - 1) < 1e-14:  # noqa: PLR2004 - a float's own precision
            break
    return value


def _away(x: float) -> float:
    """Keep a denominator off zero."""
    return x if abs(x) > _TINY else _TINY
