"""Whether the change cured the burn, judged by the SLI itself (law 6).

recovered   the upper bound of the bad share is within what the SLO allows
worse       its lower bound is above the upper bound before, or a neighbour's is above its own
unchanged   the interval of before - after contains 0, at a full sample
unknown     anything else: better but not within, or what was measured cannot be compared

The bounds are exact and one-sided at alpha / looks. A sample is full when it rules out recovery by
itself, or when the last look is taken on enough requests: until then more of them may still tell.
"""

from __future__ import annotations

from enum import StrEnum

from . import comparison
from .bounds import enough
from .comparison import Compared, Look, Share
from .sli import Window
from .workload import Model


class Word(StrEnum):
    """The four verdicts."""

    RECOVERED = "recovered"
    WORSE = "worse"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"


class Verdict(Model):
    """The judgement of one look, with everything it rests on."""

    verdict: Word
    reason: str
    look: int
    looks_left: int
    allowed: float
    confidence: float  # of each bound
    before: Share
    after: Share
    window: Window
    needs: int | None = None  # more requests
    neighbours: tuple[Compared, ...] = ()
    unwatched: tuple[str, ...] = ()  # workloads of the stack that were not looked at
    control: Compared | None = None  # old beside new revision during the rollout; shown
    link: str = ""


def judge(look: Look) -> Verdict:
    """The verdict of this look."""
    alpha = look.alpha / look.looks
    counts = look.after.within(look.after_window).counts
    before = comparison.share(look.before, look.before_per_minute, alpha)
    after = comparison.share(counts, comparison.rate(counts, look.after_window), alpha)
    neighbours = comparison.neighbours(look, alpha)
    needs = _needs(after, look.allowed, alpha)
    word, reason = _word(look, before, after, neighbours, needs)
    return Verdict(
        verdict=word,
        reason=reason,
        look=look.look,
        looks_left=look.looks - look.look,
        allowed=look.allowed,
        confidence=1 - alpha,
        before=before,
        after=after,
        window=look.after_window,
        needs=needs if word is Word.UNKNOWN else None,
        neighbours=neighbours,
        link=look.after.link,
    )


def _word(
    look: Look,
    before: Share,
    after: Share,
    neighbours: tuple[Compared, ...],
    needs: int | None,
) -> tuple[Word, str]:
    doubt = comparison.doubt(look, before, after)
    if doubt:
        return Word.UNKNOWN, doubt
    harmed = [n for n in neighbours if n.worse]
    both = f"{_read(after)} after the change, {_read(before)} before"
    if after.lower > before.upper:
        word, reason = Word.WORSE, both
    elif harmed:
        worst = max(harmed, key=lambda n: n.after.lower)
        word = Word.WORSE
        reason = f"{worst.name}: {_read(worst.after)} after, {_read(worst.before)} before"
    elif absent := comparison.absent(look):
        word, reason = Word.UNKNOWN, absent
    elif after.upper <= look.allowed:
        word, reason = Word.RECOVERED, f"{_read(after)}, within the {look.allowed:.2%} allowed"
    elif after.upper < before.lower:
        word = Word.UNKNOWN
        reason = f"better, but not within {look.allowed:.2%}: {_read(after)}"
    elif _full(look, after):
        word, reason = Word.UNCHANGED, both
    else:
        word, reason = Word.UNKNOWN, f"too little traffic: {_read(after)}"
    return word, reason + (_needs_text(needs, after) if word is Word.UNKNOWN else "")


def _full(look: Look, after: Share) -> bool:
    """Whether more requests could not make it `recovered` any more, or none will be waited for."""
    if after.lower > look.allowed:
        return True
    fewest = enough(0.0, look.allowed, look.alpha / look.looks)
    return look.look == look.looks and fewest is not None and after.requests >= fewest


def _needs(after: Share, allowed: float, alpha: float) -> int | None:
    total = enough(after.share, allowed, alpha)
    return None if total is None else max(0, total - after.requests)


def _needs_text(needs: int | None, after: Share) -> str:
    if not needs or not after.per_minute:
        return ""
    minutes = needs / after.per_minute
    return f"; needs {needs} more requests, about {max(1, round(minutes))} minutes"


def _read(share: Share) -> str:
    bounds = f"{share.lower:.2%} to {share.upper:.2%}"
    return f"{share.bad} of {share.requests} bad ({share.share:.2%}, between {bounds})"
