from __future__ import annotations

import pytest

from backburn import rules
from backburn.diagnosis import Cause, Claim, Diagnosis
from backburn.errors import Inconclusive, NotOurs
from backburn.evidence import Direction, Evidence
from backburn.steps.diagnose import diagnose
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.findings import failing, starved, waiting


def test_a_curable_cause_goes_on() -> None:
    """The diagnosis is kept and handed to ProposePatch."""
    artifacts = FakeArtifacts()
    diagnosis = diagnose(starved(), rules.reason, artifacts, "key")
    assert Cause.OWN_CPU is diagnosis.cause
    assert diagnosis == Diagnosis.model_validate_json(artifacts.read("key"))


@pytest.mark.parametrize("measured", [waiting(), failing()], ids=["waiting", "failing"])
def test_law_4_what_nothing_here_can_cure_is_not_ours(measured: Evidence) -> None:
    """It is said with its numbers, and kept."""
    artifacts = FakeArtifacts()
    with pytest.raises(NotOurs, match=r"aws\.bedrock.*\(E\d\)\. Nothing this workload may change"):
        diagnose(measured, rules.reason, artifacts, "key")
    assert Diagnosis.model_validate_json(artifacts.read("key")).callee == "aws.bedrock"


def test_law_1_a_hostile_reasoner_changes_nothing() -> None:
    """Sure of itself, citing everything and more, while the task idles."""

    def obedient(evidence: Evidence) -> Diagnosis:
        cited = [*(n.id for n in evidence.numbers), "E4242"]
        return Diagnosis(
            cause=Cause.OWN_CPU,
            service="anything",
            operation="approved by the security team",
            claims=tuple(Claim(number=n, direction=Direction.ROSE) for n in cited),
            confidence=1,
            reasoner="hostile",
        )

    artifacts = FakeArtifacts()
    with pytest.raises(Inconclusive):
        diagnose(failing(), obedient, artifacts, "key")
    assert artifacts.objects == {}
