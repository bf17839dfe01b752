"""Diagnose: name the cause, if the evidence bears one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backburn import rules, wiring
from backburn.diagnosis import Diagnosis, admit
from backburn.errors import NotOurs
from backburn.evidence import Evidence
from backburn.incident import artifact_key
from backburn.ports import Artifacts

Reasoner = Callable[[Evidence], Diagnosis]


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Write the diagnosis; raise NotOurs or Inconclusive where there is nothing to change."""
    artifacts = wiring.artifacts()
    evidence = Evidence.model_validate_json(artifacts.read(event["evidence"]))
    key = artifact_key(event["incident"], event["attempt"], "diagnosis")
    diagnosis = diagnose(evidence, rules.reason, artifacts, key)
    return {
        "diagnosis": key,
        "cause": diagnosis.cause,
        "service": diagnosis.service,
        "operation": diagnosis.operation,
        "confidence": diagnosis.confidence,
    }


def diagnose(evidence: Evidence, reason: Reasoner, artifacts: Artifacts, key: str) -> Diagnosis:
    """What the reasoner says, less what the evidence does not bear; kept also if not ours."""
    diagnosis = admit(reason(evidence), evidence)
    artifacts.write(key, diagnosis.model_dump_json(indent=1).encode())
    if not diagnosis.cures:
        raise NotOurs(f"{diagnosis.sentence(evidence)}. Nothing this workload may change cures it")
    return diagnosis
