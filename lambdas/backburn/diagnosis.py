"""What is wrong, carried by numbers: the closed table of causes and the check of every claim.

Law 1: whoever reasons (rules or a model) only proposes; what the arithmetic does not bear falls.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from .catalogue import CATALOGUE
from .errors import Inconclusive
from .evidence import Direction, Evidence, Kind, Number
from .workload import Model

# A task whose mean CPU is above this has no headroom left: queues grow without bound near 100 %.
SATURATED = 80.0
# A quarter more of the task's CPU than before is more than the load's own ups and downs.
CLEARLY_ABOVE = 15.0


class Cause(StrEnum):
    """The closed list."""

    OWN_CPU = "own_cpu"
    DEPENDENCY_LATENCY = "dependency_latency"
    DEPENDENCY_ERRORS = "dependency_errors"


class Need(Model):
    """A number that must be cited for a cause: it rose, and is large enough to matter."""

    kind: Kind
    at_least: float = 0.0
    rise: float = 0.0  # at least this much above the baseline
    ratio: float = 0.0  # at least this many times the baseline
    share_of_extra: float = 0.0  # at least this part of a request's extra time

    def met(self, number: Number, evidence: Evidence) -> bool:
        """Whether this number is of the kind and bears the claim."""
        return (
            number.kind is self.kind
            and number.direction is Direction.ROSE
            and number.value >= self.at_least
            and number.extra >= self.rise
            and number.value >= self.ratio * (number.baseline or 0.0)
            and (not self.share_of_extra or evidence.share_of_extra(number) >= self.share_of_extra)
        )


class Row(Model):
    """What must be seen, what must not, and what follows."""

    needs: tuple[Need, ...]
    refuted_by: tuple[Need, ...] = ()
    measured: tuple[Kind, ...] = ()  # what must be known, so that it can refute
    says: str


_SATURATION = Need(kind=Kind.CPU, at_least=SATURATED, rise=CLEARLY_ABOVE)
_FAILING = Need(kind=Kind.ERRORS, at_least=0.5)

CAUSES: dict[Cause, Row] = {
    # Without CPU every span's wall time grows, waits included: saturation outweighs waits, but
    # not a dependency that fails most of the bad requests by itself.
    Cause.OWN_CPU: Row(
        needs=(_SATURATION, Need(kind=Kind.OWN_TIME)),
        refuted_by=(_FAILING,),
        says="the task has no CPU left and its own work takes longer",
    ),
    Cause.DEPENDENCY_ERRORS: Row(
        needs=(_FAILING,),
        refuted_by=(_SATURATION,),
        says="most bad requests carry an error that began at a dependency",
    ),
    Cause.DEPENDENCY_LATENCY: Row(
        needs=(Need(kind=Kind.WAIT, ratio=1.5, share_of_extra=0.5),),
        refuted_by=(_SATURATION, _FAILING),
        measured=(Kind.CPU,),
        says="most of the extra time is spent waiting on a dependency",
    ),
}


class Claim(Model):
    """A cited number and where it is said to have gone."""

    number: str  # E1, E2, ...
    direction: Direction


class Diagnosis(Model):
    """One cause, the place at fault, and the numbers that carry it."""

    cause: Cause
    service: str
    operation: str
    callee: str = ""
    claims: tuple[Claim, ...]
    confidence: float = Field(ge=0, le=1)
    reasoner: str
    dropped: tuple[Claim, ...] = ()  # cited, but absent or pointing the other way

    @property
    def cures(self) -> tuple[str, ...]:
        """The settings of the catalogue that can cure it; none = not ours to fix."""
        return tuple(name for name, row in CATALOGUE.items() if self.cause in row.cures)

    def sentence(self, evidence: Evidence) -> str:
        """The diagnosis in one sentence, with the numbers that carry it."""
        cited = [evidence.number(claim.number) for claim in self.claims]
        numbers = "; ".join(_cite(number) for number in cited if number)
        where = f" ({self.callee})" if self.callee else ""
        return f"{CAUSES[self.cause].says}{where}: {numbers}"


def admit(diagnosis: Diagnosis, evidence: Evidence) -> Diagnosis:
    """The diagnosis less the claims the evidence does not bear; Inconclusive if it then falls."""
    _require_measured_place(diagnosis, evidence)
    kept = tuple(claim for claim in diagnosis.claims if _borne(claim, evidence))
    dropped = tuple(claim for claim in diagnosis.claims if claim not in kept)
    row = CAUSES[diagnosis.cause]
    cited = [number for claim in kept if (number := evidence.number(claim.number))]
    if diagnosis.callee:
        cited = [n for n in cited if not n.callee or n.callee == diagnosis.callee]
    for need in row.needs:
        if not any(need.met(number, evidence) for number in cited):
            raise Inconclusive(
                f"{diagnosis.cause} was proposed by {diagnosis.reasoner}, but no cited number"
                f" of kind {need.kind} bears it"
            )
    for kind in row.measured:
        if not evidence.of(kind):
            raise Inconclusive(
                f"{diagnosis.cause} stands out, but there is no reading of {kind} that could refute"
                f" it: look for the metrics of {evidence.service} in CloudWatch"
            )
    for need in row.refuted_by:
        against = next((n for n in evidence.numbers if _refutes(need, n, evidence)), None)
        if against:
            raise Inconclusive(
                f"the evidence contradicts itself: {diagnosis.cause} stands out,"
                f" but so does {_cite(against)}"
            )
    return diagnosis.model_copy(update={"claims": kept, "dropped": (*diagnosis.dropped, *dropped)})


def _require_measured_place(diagnosis: Diagnosis, evidence: Evidence) -> None:
    """Inconclusive if a place is named that nobody measured: it would be a reasoner's own words."""
    measured = {
        "service": {evidence.service} | {n.service for n in evidence.numbers},
        "operation": {""} | {n.operation for n in evidence.numbers},
        "callee": {""} | {n.callee for n in evidence.numbers},
    }
    for place, names in measured.items():
        if getattr(diagnosis, place) not in names:
            raise Inconclusive(f"{diagnosis.cause} was proposed at a {place} that nobody measured")


def _borne(claim: Claim, evidence: Evidence) -> bool:
    number = evidence.number(claim.number)
    return number is not None and number.direction is claim.direction


def _refutes(need: Need, number: Number, evidence: Evidence) -> bool:
    # An error that began in the service's own code is no dependency's.
    return need.met(number, evidence) and (number.kind is not Kind.ERRORS or bool(number.callee))


def _cite(number: Number) -> str:
    before = "" if number.baseline is None else f", before {number.baseline:.4g}"
    return f"{number.what} {number.value:.4g} {number.unit}{before} ({number.id})"
