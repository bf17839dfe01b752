"""What an approver is shown: measured facts as text, because a digest has no floats."""

from __future__ import annotations

from .diagnosis import Diagnosis
from .evidence import Evidence, Number
from .incident import Incident
from .preview import in_words
from .proposal import Number as ShownNumber
from .proposal import Preview, Shown
from .workload import Workload

NUMBERS = 12  # a page is read by a person, on a phone
SECOND_MS = 1000


def shown(
    workload: Workload,
    incident: Incident,
    evidence: Evidence,
    diagnosis: Diagnosis,
    preview: Preview,
) -> Shown:
    """Everything the page will say beside the effects, the cited numbers first."""
    bound = preview.bound
    cited = {claim.number for claim in diagnosis.claims}
    ordered = sorted(evidence.numbers, key=lambda number: number.id not in cited)[:NUMBERS]
    return Shown(
        title=bound.change.words(),
        service=workload.service,
        alert=incident.summary,
        diagnosis=diagnosis.sentence(evidence),
        confidence=f"{diagnosis.confidence:.0%}, by the {diagnosis.reasoner}",
        numbers=tuple(_number(number, cited=number.id in cited) for number in ordered),
        # Told from what is bound: the build that wrote the preview ran the program.
        steps=in_words(bound.steps, bound.change.resource.name),
        rollback=in_words(bound.mirror, bound.change.resource.name),
        cost=preview.cost.words(),
        approvers=workload.approvers,
    )


def _number(number: Number, *, cited: bool) -> ShownNumber:
    before = "" if number.baseline is None else amount(number.baseline, number.unit)
    return ShownNumber(
        id=number.id,
        label=number.what,
        value=amount(number.value, number.unit),
        before=before,
        cited=cited,
        link=number.link,
    )


def amount(value: float, unit: str) -> str:
    """A measured value as people read it."""
    match unit:
        case "share":
            return f"{value:.1%}"
        case "ms" if value >= SECOND_MS:
            return f"{value / SECOND_MS:.2f} s"
        case "ms":
            return f"{value:.0f} ms" if value >= 10 or not value else f"{value:.1f} ms"  # noqa: PLR2004
        case "1/min":
            return f"{value:.0f}/min"
        case "%":
            return f"{value:.0f} %"
    return f"{value:.4g} {unit}"
