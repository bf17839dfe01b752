from __future__ import annotations

from typing import Any

import pytest

from backburn.catalogue import CATALOGUE
from backburn.diagnosis import CAUSES, Cause, Claim, Diagnosis, admit
from backburn.errors import Inconclusive
from backburn.evidence import Direction, Evidence, Kind
from tests.fakes.findings import evidence, failing, number, starved, waiting

UP, DOWN = Direction.ROSE, Direction.FELL


def diagnosis(cause: Cause, *cited: tuple[str, Direction], **fields: Any) -> Diagnosis:
    """What some reasoner proposes."""
    claims = tuple(Claim(number=number, direction=direction) for number, direction in cited)
    proposed = {"service": "chatbot", "operation": "", "confidence": 0.99, "reasoner": "model"}
    return Diagnosis.model_validate(proposed | fields | {"cause": cause, "claims": claims})


def test_what_the_evidence_bears_is_admitted() -> None:
    """Every cited number is there and points the way it is said to."""
    proposed = diagnosis(Cause.OWN_CPU, ("E1", UP), ("E2", UP))
    assert proposed == admit(proposed, starved())


def test_law_1_an_absent_number_is_dropped() -> None:
    """A claim on a number that nobody measured carries nothing, and is shown."""
    found = admit(diagnosis(Cause.OWN_CPU, ("E1", UP), ("E2", UP), ("E99", UP)), starved())
    assert [claim.number for claim in found.dropped] == ["E99"]
    assert [claim.number for claim in found.claims] == ["E1", "E2"]


def test_law_1_a_number_that_points_the_other_way_is_dropped() -> None:
    """Saying that CPU fell does not make it so; without it the cause falls."""
    with pytest.raises(Inconclusive, match="no cited number of kind cpu"):
        admit(diagnosis(Cause.OWN_CPU, ("E1", DOWN), ("E2", UP)), starved())


@pytest.mark.parametrize("measured", [waiting(), failing()], ids=["waiting", "failing"])
def test_law_1_no_reasoner_can_blame_cpu_that_is_idle(measured: Evidence) -> None:
    """However sure a model is, and whatever it cites."""
    everything = [(n.id, n.direction or UP) for n in measured.numbers]
    with pytest.raises(Inconclusive):
        admit(diagnosis(Cause.OWN_CPU, *everything), measured)


@pytest.mark.parametrize("place", ["service", "operation", "callee"])
def test_law_1_no_reasoner_names_a_place_that_nobody_measured(place: str) -> None:
    """It would put words of its own, or a link, on the page and into the mail."""
    words = {place: "approve at https://evil.example"}
    with pytest.raises(Inconclusive, match=f"a {place} that nobody measured"):
        admit(diagnosis(Cause.OWN_CPU, ("E1", UP), ("E2", UP), **words), starved())


def test_a_rise_must_be_clear() -> None:
    """A task that always runs hot is not diagnosed by its heat."""
    hot = evidence(number(Kind.CPU, 92, 85), number(Kind.OWN_TIME, 900, 150))
    with pytest.raises(Inconclusive):
        admit(diagnosis(Cause.OWN_CPU, ("E1", UP), ("E2", UP)), hot)


def test_law_4_contradicting_evidence_is_no_diagnosis() -> None:
    """CPU at its limit and a dependency that fails most requests: nobody is blamed."""
    both = evidence(
        number(Kind.CPU, 98, 45),
        number(Kind.OWN_TIME, 900, 150),
        number(Kind.ERRORS, 0.8, 0.0, callee="aws.bedrock"),
    )
    with pytest.raises(Inconclusive, match="contradicts itself"):
        admit(diagnosis(Cause.OWN_CPU, ("E1", UP), ("E2", UP)), both)
    with pytest.raises(Inconclusive, match="contradicts itself"):
        admit(diagnosis(Cause.DEPENDENCY_ERRORS, ("E3", UP), callee="aws.bedrock"), both)


def test_errors_of_ones_own_refute_nothing() -> None:
    """An error that began in the service's own code is no dependency's."""
    own = evidence(
        number(Kind.CPU, 98, 45),
        number(Kind.OWN_TIME, 900, 150),
        number(Kind.ERRORS, 0.8, 0.0, operation="POST"),
    )
    assert admit(diagnosis(Cause.OWN_CPU, ("E1", UP), ("E2", UP)), own)


def test_law_4_a_wait_is_not_blamed_while_cpu_is_unknown() -> None:
    """Starvation inflates waits, so without a reading of CPU nothing is said."""
    blind = evidence(number(Kind.WAIT, 4000, 350, callee="aws.bedrock"))
    with pytest.raises(Inconclusive, match="no reading of cpu"):
        admit(diagnosis(Cause.DEPENDENCY_LATENCY, ("E1", UP), callee="aws.bedrock"), blind)


def test_a_wait_on_somebody_else_does_not_carry_the_claim() -> None:
    """The cited number must be of the dependency that is blamed."""
    with pytest.raises(Inconclusive):
        admit(diagnosis(Cause.DEPENDENCY_LATENCY, ("E3", UP), callee="redis"), waiting())


def test_every_cause_says_what_can_cure_it() -> None:
    """The table and the catalogue agree on the names of causes."""
    assert {cause for row in CATALOGUE.values() for cause in row.cures} <= set(CAUSES)
    assert diagnosis(Cause.OWN_CPU).cures == ("ecs.task_size",)
    assert diagnosis(Cause.DEPENDENCY_ERRORS).cures == ()


def test_the_sentence_holds_the_numbers() -> None:
    """What a person reads names cause, place and evidence."""
    found = diagnosis(Cause.DEPENDENCY_ERRORS, ("E4", UP), callee="aws.bedrock")
    assert found.sentence(failing()) == (
        "most bad requests carry an error that began at a dependency (aws.bedrock):"
        " errors 0.8 share, before 0 (E4)"
    )
