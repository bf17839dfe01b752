"""The shop in the middle of an incident: everything a changing step needs, in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from backburn import bundle, proposal
from backburn.applying import Site
from backburn.decision import Choice, Decision, Request
from backburn.diagnosis import Cause, Diagnosis
from backburn.exports import Order
from backburn.incident import Incident, artifact_key
from backburn.patch import Files
from backburn.proposal import Effects, Preview, Proposal, Shown
from backburn.steps.apply_patch import apply_patch
from backburn.steps.preview_patch import preview_patch
from backburn.steps.propose_patch import propose_patch
from backburn.steps.roll_back import roll_back
from backburn.workload import Workload
from tests.fakes.approvals import FakeApprovals
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.brakes import FakeBrakes
from tests.fakes.builds import FakeBuilds
from tests.fakes.engine import FakeEngine
from tests.fakes.incidents import FakeIncidents
from tests.fakes.mac_key import FakeMacKey
from tests.fakes.program import shop

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BUNDLE = "programs/shop.zip"
APPROVER = "approver@example.com"
ORDER = Order("shop-1", 1, "shop")


def workload(**changes: Any) -> Workload:
    """The shop as a workload; top-level fields can be changed."""
    fields: dict[str, Any] = {
        "name": "shop",
        "mode": "apply",
        "service": "shop",
        "dataset": "shop",
        "slos": ["fast"],
        "route": {"value": "/"},
        "program": {
            "bundle": BUNDLE,
            "stack": "dev",
            "backend": "s3://state",
            "passphrase_secret": "passphrase",
        },
        "ecs": {"cluster": "shop", "service": "shop"},
        "settings": [
            {
                "setting": "ecs.task_size",
                "resource": {"type": "aws:ecs/taskDefinition:TaskDefinition", "name": "shop-task"},
                "max_cpu": 1024,
                "max_memory": 2048,
            }
        ],
        "approvers": [APPROVER],
    }
    return Workload.model_validate(fields | changes)


class Shop:
    """One incident of the shop, and what the steps did about it so far."""

    def __init__(self, files: Files | None = None, **changes: Any) -> None:
        self.workload = workload(**changes)
        self.artifacts = FakeArtifacts()
        self.incidents = FakeIncidents()
        self.approvals = FakeApprovals()
        self.mac_key = FakeMacKey()
        self.brakes = FakeBrakes()
        self.builds = FakeBuilds()
        self.engine = FakeEngine(shop())
        self.now = NOW
        self.artifacts.write(BUNDLE, bundle.pack(files or shop()))
        self._open("shop-1")

    @property
    def files(self) -> dict[str, bytes]:
        """The program in the bundle store."""
        return bundle.unpack(self.artifacts.read(BUNDLE))

    @property
    def notes(self) -> list[str]:
        """The incident's timeline."""
        return [note.text for note in self.incidents.get("shop-1").notes]

    def propose(self, cause: Cause = Cause.OWN_CPU, incident: str = "shop-1") -> dict[str, Any]:
        """ProposePatch."""
        diagnosis = Diagnosis(
            cause=cause,
            service="shop",
            operation="work",
            claims=(),
            confidence=0.9,
            reasoner="rules",
        )
        key = artifact_key(incident, 1, "diagnosis")
        self.artifacts.write(key, diagnosis.model_dump_json().encode())
        event = {"incident": incident, "attempt": 1, "workload": "shop", "diagnosis": key}
        return propose_patch(
            event, self.workload, self.artifacts, self.incidents, self.brakes, self.now
        )

    def preview(self) -> dict[str, str]:
        """PreviewPatch."""
        return dict(preview_patch(ORDER, self.workload, self.artifacts, self.engine))

    def approve(self, **changes: Any) -> Effects:
        """RequestApproval and the approver's click; fields of the decision can be changed."""
        preview = Preview.model_validate_json(self.artifacts.read(ORDER.key("preview")))
        fields = {
            name: () if "tuple" in str(field.annotation) else "text"
            for name, field in Shown.model_fields.items()
        }
        effects = preview.effects(self.now + timedelta(hours=1))
        document = Proposal(effects=effects, shown=Shown.model_validate(fields))
        self.artifacts.write(ORDER.key("proposal"), proposal.document(document))
        decision = Decision.model_validate(
            {
                "incident": "shop-1",
                "attempt": 1,
                "decision": Choice.APPROVE,
                "digest": proposal.digest(document),
                "approver": APPROVER,
                "expiry": effects.expires,
                "at": self.now,
            }
            | changes
        )
        self.decide(decision.signed(self.mac_key.generate(decision.message())))
        return effects

    def decide(self, decision: Decision) -> None:
        """Store this decision, whoever made it."""
        request = Request(
            execution="shop-1",
            incident="shop-1",
            attempt=1,
            workload="shop",
            generation="g",
            token="t",
            proposal=ORDER.key("proposal"),
            digest=decision.digest,
            expiry=decision.expiry,
        )
        self.approvals.ask(request, [], self.now)
        self.approvals.decide("shop-1", "g", decision)

    def apply(self) -> dict[str, str]:
        """ApplyPatch."""
        return dict(apply_patch(ORDER, self.workload, self.site))

    def roll_back(self) -> dict[str, str]:
        """RollBack."""
        return dict(roll_back(ORDER, self.workload, self.site))

    def approved(self) -> Shop:
        """Up to the approver's click."""
        self.propose()
        self.preview()
        self.approve()
        return self

    @property
    def site(self) -> Site:
        """What the deploy job works with."""
        return Site(
            self.artifacts,
            self.incidents,
            self.approvals,
            self.mac_key,
            self.brakes,
            self.engine,
            self.builds,
            lambda: self.now,
        )

    def _open(self, incident: str) -> None:
        self.incidents.open(
            Incident(
                id=incident,
                workload="shop",
                slo=f"slo-of-{incident}",
                alert="a",
                summary="burns",
                opened=NOW,
            )
        )

    def another_incident(self, incident: str) -> None:
        """A burn of another SLO of the same stack."""
        self._open(incident)
