"""What one look measured, set beside the burn; and why the two may not be comparable."""

from __future__ import annotations

from pydantic import Field

from .bounds import lower, upper
from .evidence import Neighbour
from .sli import Counts, Series, Window
from .traces.span import unlinked
from .workload import Model

_RATE = (0.5, 2.0)  # requests a minute against the burn window's, outside of which load changed
_MISSING = 0.1  # share of the window without a request
_PER_BUCKET = 10  # requests expected in a bucket, so that an empty one means something
_STALE = 120  # seconds without a request at the end of the window
_FEWEST_OF_NEIGHBOUR = 30

Revisions = tuple[str | None, ...]


class Share(Model):
    """A bad share and its exact bounds."""

    requests: int
    bad: int
    share: float
    lower: float
    upper: float
    per_minute: float
    p95_ms: float | None = None  # shown, not judged
    p99_ms: float | None = None


class Compared(Model):
    """One neighbour before and after, or one revision beside another."""

    name: str
    before: Share
    after: Share
    worse: bool


class Look(Model):
    """What one look of Verify measured."""

    look: int = Field(ge=1)
    looks: int = Field(ge=1)
    alpha: float  # over all looks together
    allowed: float
    before: Counts
    before_window: Window
    before_per_minute: float
    before_revisions: Revisions = ()
    after: Series
    after_window: Window
    neighbours: tuple[Neighbour, ...] = ()
    neighbours_after: tuple[Neighbour, ...] = ()
    must_differ: bool = True  # after an apply another revision than before must serve
    shortest: float = 0.0  # seconds; in less the slow requests of the burn would not have ended


def share(counts: Counts, per_minute: float, alpha: float) -> Share:
    """The bad share of some requests with its bounds, each at error `alpha`."""
    return Share(
        requests=counts.total,
        bad=counts.bad,
        share=counts.share,
        lower=lower(counts.bad, counts.total, alpha),
        upper=upper(counts.bad, counts.total, alpha),
        per_minute=per_minute,
    )


def rate(counts: Counts, window: Window) -> float:
    """Requests a minute over the whole window."""
    return counts.total * 60 / window.seconds if window.seconds else 0.0


def doubt(look: Look, before: Share, after: Share) -> str | None:
    """Why what was measured cannot be compared with the burn, if so."""
    series = look.after.within(look.after_window)
    if not after.requests:
        return f"no data: no counted request in {look.after_window.seconds:.0f} s"
    if look.after_window.seconds < look.shortest:
        return (
            f"too soon: {look.after_window.seconds:.0f} s measured, in which the slow requests of"
            f" the burn ({look.shortest:.0f} s) would not have ended"
        )
    return (
        _mixed(look, series.revisions)
        or _load(before, after)
        or _holes(look.after_window, series, before.per_minute)
    )


def absent(look: Look) -> str | None:
    """A neighbour of some traffic that served nothing at all since."""
    served = {n.route: n.requests for n in look.neighbours_after}
    scale = look.after_window.seconds / (look.before_window.seconds or 1)
    for route in look.neighbours:
        expected = route.requests * scale
        if expected >= _FEWEST_OF_NEIGHBOUR and not served.get(route.route):
            name = unlinked(route.route)
            return f"{name} served about {expected:.0f} requests in such a time, now none"
    return None


def neighbours(look: Look, alpha: float) -> tuple[Compared, ...]:
    """Every neighbour before and after, by its own bounds, the error split over all of them."""
    alpha /= max(1, len(look.neighbours))
    after = {n.route: n for n in look.neighbours_after}
    return tuple(
        Compared(name=unlinked(route.route), before=old, after=new, worse=new.lower > old.upper)
        for route in look.neighbours
        if route.route in after
        for old in (_of(route, look.before_window, alpha),)
        for new in (_of(after[route.route], look.after_window, alpha),)
    )


def control(series: Series, before: Revisions, after: Revisions, alpha: float) -> Compared | None:
    """The last revision of each side in those slots in which both served; None if in none."""
    if not before or not after:
        return None
    old, new = before[-1], after[-1]
    both = {s.at for s in series.serving(old).slots} & {s.at for s in series.serving(new).slots}
    if old == new or not both:
        return None
    shared = series.model_copy(update={"slots": tuple(s for s in series.slots if s.at in both)})
    served = [shared.serving(revision).counts for revision in (old, new)]
    beside, this = (share(c, c.total * 60 / (len(both) * series.seconds), alpha) for c in served)
    name = f"revision {new} beside {old}"
    return Compared(name=name, before=beside, after=this, worse=this.lower > beside.upper)


def _mixed(look: Look, revisions: Revisions) -> str | None:
    if len(revisions) > 1:
        return f"another revision served in the window: {', '.join(map(str, revisions))}"
    if look.must_differ and revisions[0] is not None and revisions[0] in look.before_revisions:
        return f"revision {revisions[0]} served the burn and still serves"
    return None


def _load(before: Share, after: Share) -> str | None:
    rate = after.per_minute / before.per_minute if before.per_minute else 0.0
    if _RATE[0] <= rate <= _RATE[1]:
        return None
    return (
        f"the load changed: {after.per_minute:.0f} requests a minute,"
        f" {before.per_minute:.0f} in the burn"
    )


def _holes(window: Window, series: Series, per_minute: float) -> str | None:
    bucket = max(series.seconds, round(_PER_BUCKET * 60 / per_minute))
    missing = series.missing(window, bucket)
    if missing > _MISSING:
        return f"{missing:.0%} of the window has no requests"
    silent = window.last - (series.newest or window.first)
    if silent > min(_STALE, window.seconds / 4):
        return f"the newest request is {silent:.0f} s old"
    return None


def _of(route: Neighbour, window: Window, alpha: float) -> Share:
    counts = Counts(good=route.requests - route.over, bad=route.over)
    return share(counts, rate(counts, window), alpha).model_copy(update={"p95_ms": route.p95_ms})
