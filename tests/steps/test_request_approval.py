from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from backburn.decision import generation
from backburn.errors import Braked, Proposed
from backburn.incident import artifact_key
from backburn.proposal import effects_digest, read
from backburn.steps.request_approval import request_approval
from backburn.workload import Freeze, Limits, Mode, Workload
from tests.fakes import proposals
from tests.fakes.approvals import FakeApprovals
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.incidents import FakeIncidents
from tests.fakes.mailer import FakeMailer
from tests.fakes.patient import chatbot
from tests.fakes.proposals import NOW

NAME = proposals.incident().id
PROPOSAL = artifact_key(NAME, 1, "proposal")


class Desk:
    """The state with everything behind it in memory."""

    def __init__(self) -> None:
        self.approvals, self.incidents = FakeApprovals(), FakeIncidents()
        self.artifacts, self.mailer = FakeArtifacts(), FakeMailer()
        self.incidents.open(proposals.incident())
        for name, document in {
            "preview": proposals.preview(),
            "evidence": proposals.evidence(),
            "diagnosis": proposals.diagnosis(),
        }.items():
            self.artifacts.write(artifact_key(NAME, 1, name), document.model_dump_json().encode())
        self._counter = 0

    def run(
        self, workload: Workload | None = None, switch: str | None = None, token: str = "token-1"
    ) -> dict[str, Any]:
        """The state, once."""
        event = {"incident": NAME, "attempt": 1, "workload": "chatbot", "token": token}
        return request_approval(
            event | {"preview": artifact_key(NAME, 1, "preview")},
            workload or chatbot(),
            self.artifacts,
            self.incidents,
            self.approvals,
            self.mailer,
            switch,
            "https://api.example.com/",
            self._random,
            NOW,
        )

    def _random(self, size: int) -> bytes:
        self._counter += 1
        return self._counter.to_bytes(size, "big")


@pytest.fixture
def desk() -> Desk:
    """A preview is there, nobody has been asked."""
    return Desk()


def test_law_2_the_digest_is_of_the_bytes_that_are_stored(desk: Desk) -> None:
    """Canonical, with the expiry in it; the effects are those of the preview."""
    answer = desk.run()
    data = desk.artifacts.read(PROPOSAL)
    assert answer == {"proposal": PROPOSAL, "digest": hashlib.sha256(data).hexdigest()}
    proposal = read(data)
    expires = NOW + timedelta(minutes=60)
    assert proposal.effects == proposals.preview().effects(expires)
    assert effects_digest(proposal.effects) == effects_digest(proposals.preview().effects(expires))
    assert desk.approvals.request(NAME).digest == answer["digest"]
    assert desk.approvals.request(NAME).expiry == expires


def test_law_5_every_approver_gets_a_link_and_a_code_of_their_own(desk: Desk) -> None:
    """One mail each; the tables know neither."""
    desk.run(chatbot(approvers=["one@example.com", "two@example.com"]))
    one, two = desk.mailer.sent
    assert (one.to, two.to) == ("one@example.com", "two@example.com")
    assert one.text != two.text
    assert "https://api.example.com/approvals/" in one.text
    assert {link.approver for link in desk.approvals.links.values()} == {one.to, two.to}
    assert not any(link.link in one.text for link in desk.approvals.links.values())


def test_the_mail_says_what_is_asked(desk: Desk) -> None:
    """Enough to know what it is about before opening anything."""
    desk.run()
    (mail,) = desk.mailer.sent
    assert mail.subject.startswith("Approve? otel-ai-chatbot-task: cpu 512 -> 1024")
    assert mail.subject.isascii()
    assert len(mail.subject) <= 100
    for said in (
        "the task has no CPU left",
        "$18.02 -> $36.04 a month",
        "  - replace TaskDefinition otel-ai-chatbot-task: cpu 512 -> 1024, memory 1024 -> 2048",
        "It expires at 2026-11-24 07:00 UTC",
        NAME,
    ):
        assert said in mail.text


def test_the_numbers_that_carry_the_diagnosis_come_first(desk: Desk) -> None:
    """An approver reads the proof before the rest."""
    desk.run()
    numbers = read(desk.artifacts.read(PROPOSAL)).shown.numbers
    assert [(n.id, n.cited) for n in numbers[:3]] == [("E4", True), ("E5", True), ("E1", False)]
    assert (numbers[1].before, numbers[1].value) == ("118 ms", "1.31 s")


def test_law_5_another_token_is_another_generation(desk: Desk) -> None:
    """A redriven run: the links of the first are of another generation."""
    desk.run()
    old = set(desk.approvals.links)
    desk.run(token="token-2")
    assert desk.approvals.request(NAME).generation == generation("token-2")
    assert all(desk.approvals.link(link).generation == generation("token-1") for link in old)


def test_law_10_a_brake_stops_before_anybody_is_asked(desk: Desk) -> None:
    """Kill switch or freeze: no mail, no proposal. The day's cap was counted by ProposePatch."""
    with pytest.raises(Braked, match="the kill switch is on"):
        desk.run(switch="the kill switch is on")
    freeze = Freeze(start=NOW, end=NOW + timedelta(hours=1), why="launch")
    with pytest.raises(Braked, match="frozen until 2026-11-24 07:00 UTC: launch"):
        desk.run(chatbot(limits=Limits(freeze=(freeze,))))
    assert desk.mailer.sent == []
    assert desk.artifacts.version(PROPOSAL) is None


def test_mode_propose_mails_a_page_and_ends(desk: Desk) -> None:
    """No code in the mail, no link that decides, and the answer is Proposed."""
    with pytest.raises(Proposed, match="mode `propose` applies nothing"):
        desk.run(chatbot(mode=Mode.PROPOSE))
    (mail,) = desk.mailer.sent
    assert mail.subject.startswith("Proposed: ")
    assert "Nothing will be applied" in mail.text
    assert not any(link.decidable for link in desk.approvals.links.values())


def test_the_timeline_says_who_was_asked(desk: Desk) -> None:
    """And about which proposal."""
    digest = desk.run()["digest"]
    note = desk.incidents.get(NAME).notes[-1]
    assert note.state == "RequestApproval"
    assert note.text.startswith(f"proposal {digest[:12]} mailed to approver@example.com")
