"""The deterministic reasoner: no model, no key; also the fallback and the yardstick of a model."""

from __future__ import annotations

from .bounds import lower, upper
from .diagnosis import CAUSES, Cause, Claim, Diagnosis, admit
from .errors import Inconclusive
from .evidence import Direction, Evidence, Kind, Number

_ALPHA = 0.01
_FEWEST = 30  # counted requests in a window, below which a share says little
_BROKEN = 0.95  # an SLI that was this bad before the burn measures something else


def reason(evidence: Evidence) -> Diagnosis:
    """The first cause of the table that the evidence bears; Inconclusive if none does."""
    _check_burn(evidence)
    refusals: list[str] = []
    for cause in CAUSES:
        proposed = _propose(cause, evidence)
        if proposed is None:
            continue
        try:
            return admit(proposed, evidence)
        except Inconclusive as refusal:
            refusals.append(str(refusal))
    if refusals:
        raise Inconclusive(refusals[0])
    raise Inconclusive(
        f"nothing stands out: {evidence.burn.counts.share:.1%} of the requests are bad, but neither"
        " CPU, nor waiting on a dependency, nor a dependency's errors explain it"
    )


def _check_burn(evidence: Evidence) -> None:
    """Whether there is a burn to explain at all."""
    burn, baseline = evidence.burn.counts, evidence.baseline.counts
    for side, counts in (("burn", burn), ("baseline", baseline)):
        if counts.total < _FEWEST:
            raise Inconclusive(
                f"too little traffic: {counts.total} counted requests in the {side} window,"
                f" needs {_FEWEST - counts.total} more"
            )
    if baseline.share >= _BROKEN:
        raise Inconclusive(
            f"{baseline.share:.0%} of the requests were bad before the burn too: it is the SLI"
            f" {evidence.slo_name!r} that is broken, look at its expression"
        )
    at_least = lower(burn.bad, burn.total, _ALPHA)
    if at_least <= evidence.allowed:
        raise Inconclusive(
            f"the bad share, {burn.share:.1%} of {burn.total}, is not measured above the"
            f" {evidence.allowed:.2%} that the SLO allows"
        )
    if at_least <= upper(baseline.bad, baseline.total, _ALPHA):
        raise Inconclusive(
            f"the bad share, {burn.share:.1%} of {burn.total}, does not stand out against the"
            f" baseline's {baseline.share:.1%} of {baseline.total}"
        )


def _propose(cause: Cause, evidence: Evidence) -> Diagnosis | None:
    cited: list[Number] = []
    for need in CAUSES[cause].needs:
        fitting = [n for n in evidence.numbers if need.met(n, evidence)]
        if need.kind is Kind.ERRORS:
            fitting = [n for n in fitting if n.callee]
        if not fitting:
            return None
        cited.append(max(fitting, key=lambda n: n.extra))
    at = _place(cause, cited, evidence)
    return Diagnosis(
        cause=cause,
        service=at.service or evidence.service,
        operation=at.operation,
        callee=at.callee,
        claims=tuple(Claim(number=n.id, direction=Direction.ROSE) for n in cited),
        confidence=_confidence(cause, cited, evidence),
        reasoner="rules",
    )


def _place(cause: Cause, cited: list[Number], evidence: Evidence) -> Number:
    """The number that names the operation at fault."""
    if cause is Cause.OWN_CPU:
        places = evidence.of(Kind.OPERATION) or evidence.of(Kind.QUEUE)
        return max(places, key=lambda n: n.extra, default=cited[-1])
    return cited[-1]


def _confidence(cause: Cause, cited: list[Number], evidence: Evidence) -> float:
    """How much of what happened the cited numbers explain; half of it is never certain."""
    number = cited[0] if cause is Cause.OWN_CPU else cited[-1]
    explained = {
        Kind.CPU: number.value / 100,
        Kind.ERRORS: number.value,
        Kind.WAIT: evidence.share_of_extra(number),
    }[number.kind]
    return round(0.5 + 0.45 * min(1.0, explained), 2)
