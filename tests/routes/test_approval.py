from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from backburn import page
from backburn.decision import Choice
from backburn.incident import Status, artifact_key
from backburn.routes.approval import Answer, respond
from backburn.steps.request_approval import request_approval
from backburn.workload import Mode, Workload
from tests.fakes import proposals
from tests.fakes.approvals import FakeApprovals
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.http import approval
from tests.fakes.incidents import FakeIncidents
from tests.fakes.mac_key import FakeMacKey
from tests.fakes.mailer import FakeMailer
from tests.fakes.patient import chatbot
from tests.fakes.proposals import NOW
from tests.fakes.workflow import FakeWorkflow

ONE, TWO = "one@example.com", "two@example.com"
NAME = proposals.incident().id
PROPOSAL = artifact_key(NAME, 1, "proposal")


class Desk:
    """A proposal that was mailed to two approvers, with everything behind it in memory."""

    def __init__(self, **workload: Any) -> None:
        self.workload: Workload = chatbot(approvers=[ONE, TWO], **workload)
        self.approvals, self.incidents = FakeApprovals(), FakeIncidents()
        self.mailer, self.mac_key = FakeMailer(), FakeMacKey()
        self.workflow = FakeWorkflow("token-1", "token-2")
        self.artifacts = FakeArtifacts()
        self.now = NOW + timedelta(minutes=1)
        self.incidents.open(proposals.incident())
        for name, document in {
            "preview": proposals.preview(),
            "evidence": proposals.evidence(),
            "diagnosis": proposals.diagnosis(),
        }.items():
            self.artifacts.write(artifact_key(NAME, 1, name), document.model_dump_json().encode())
        self._counter = 0

    def ask(self, token: str = "token-1") -> None:
        """RequestApproval, once."""
        event = {"incident": NAME, "attempt": 1, "workload": "chatbot", "token": token}
        request_approval(
            event | {"preview": artifact_key(NAME, 1, "preview")},
            self.workload,
            self.artifacts,
            self.incidents,
            self.approvals,
            self.mailer,
            None,
            "https://api.example.com",
            self._random,
            NOW,
        )

    def _random(self, size: int) -> bytes:
        self._counter += 1
        return self._counter.to_bytes(size, "big")

    def mail(self, approver: str = ONE) -> tuple[str, str]:
        """(link, code) of the newest mail to an approver."""
        text = [mail.text for mail in self.mailer.sent if mail.to == approver][-1]
        link = re.search(r"https://api\.example\.com/approvals/(\S+)", text)
        code = re.search(r"^ +(\d{6})$", text, re.MULTILINE)
        return (link[1] if link else ""), (code[1] if code else "")

    def call(self, method: str, link: str, form: dict[str, str] | None = None) -> Answer:
        """One request."""
        return respond(
            approval(method, link, form),
            self.approvals,
            self.artifacts,
            self.incidents,
            self.mac_key,
            self.workflow,
            self.mailer,
            self.now,
        )

    def post(self, approver: str = ONE, **fields: str) -> Answer:
        """The form as an approver's browser sends it; fields can be changed."""
        link, code = self.mail(approver)
        digest = self.approvals.request(NAME).digest
        return self.call("POST", link, {"digest": digest, "code": code} | fields)


@pytest.fixture
def desk() -> Desk:
    """The mails are out."""
    made = Desk()
    made.ask()
    return made


def wrong(desk: Desk) -> str:
    """A code that is not the mail's."""
    return f"{(int(desk.mail()[1]) + 1) % 1_000_000:06d}"


def test_law_5_a_get_only_renders(desk: Desk) -> None:
    """However often a scanner opens the link, nothing is decided and nothing is spent."""
    link, _ = desk.mail()
    pages = {desk.call("GET", link) for _ in range(20)}
    assert {answer.status for answer in pages} == {200}
    assert desk.approvals.decision(NAME) is None
    assert desk.workflow.answers == {}
    assert all(found.tries == 0 for found in desk.approvals.links.values())


def test_law_5_a_head_is_405(desk: Desk) -> None:
    """Scanners send it first."""
    assert desk.call("HEAD", desk.mail()[0]).status == 405


def test_the_page_shows_what_is_decided(desk: Desk) -> None:
    """Diagnosis, evidence with links, diff, steps, cost, rollback, expiry, who decides."""
    html = desk.call("GET", desk.mail()[0]).html
    for said in (
        "The task has no CPU left",
        f'href="{proposals.LINK}E1"',
        "62.3%",
        '<span class="del">-    cpu=&#34;512&#34;,</span>',
        '<span class="add">+    cpu=&#34;1024&#34;,</span>',
        "replace TaskDefinition otel-ai-chatbot-task: cpu 512 \u2192 1024",
        "$18.02 \u2192 $36.04 a month",
        "replace TaskDefinition otel-ai-chatbot-task: cpu 1024 \u2192 512",
        "24 Nov 2026, 07:00 UTC (59 min left)",
        ONE,
        TWO,
    ):
        assert said in html


def test_law_5_the_page_has_no_script_and_no_code(desk: Desk) -> None:
    """Nothing submits by itself, and the code stands in the mail alone."""
    link, code = desk.mail()
    html = desk.call("GET", link).html
    assert "<script" not in html
    assert not re.search(r"\son\w+=", html)
    assert code not in html
    assert code not in link


def test_law_5_an_approval_wakes_the_execution_with_no_authority(desk: Desk) -> None:
    """The token is sent a word; what authorises is the decision with its MAC."""
    answer = desk.post(decision="approve")
    assert answer.status == 200
    assert "Approved" in answer.html
    assert desk.workflow.answers == {"token-1": {"decision": "approve"}}
    decision = desk.approvals.decision(NAME)
    assert decision is not None
    assert desk.mac_key.verify(decision.message(), decision.mac_bytes())
    digest = desk.approvals.request(NAME).digest
    right = {"incident": NAME, "attempt": 1, "digest": digest}
    assert decision.objection(**right, approvers=(ONE, TWO)) is None
    assert desk.approvals.undelivered(desk.now + timedelta(1)) == []


def test_an_approval_is_noted_with_its_proof(desk: Desk) -> None:
    """Who, when, and which proof was used."""
    desk.post(decision="approve")
    assert desk.incidents.get(NAME).notes[-1].text == (
        f"{ONE} approved it on 24 Nov 2026 at 06:01 UTC;"
        " proved by the link and the code of the mail"
    )


def test_a_rejection_ends_the_wait_with_its_reason(desk: Desk) -> None:
    """The reason reaches the incident's record."""
    answer = desk.post(decision="reject", reason="during the sale? no")
    assert answer.status == 200
    assert desk.workflow.answers == {"token-1": ("Rejected", f"{ONE}: during the sale? no")}
    decision = desk.approvals.decision(NAME)
    assert decision is not None
    assert decision.decision is Choice.REJECT


def test_a_rejection_needs_a_reason(desk: Desk) -> None:
    """Asked for before a try is spent, in an open form."""
    answer = desk.post(decision="reject", reason="  ")
    assert answer.status == 400
    assert "<details open>" in answer.html
    assert desk.approvals.decision(NAME) is None
    assert all(found.tries == 0 for found in desk.approvals.links.values())


@pytest.mark.parametrize("choice", ["", "APPROVE", "yes"])
def test_any_other_decision_is_400(desk: Desk, choice: str) -> None:
    """There are two."""
    assert desk.post(decision=choice).status == 400
    assert desk.approvals.decision(NAME) is None


def test_law_5_a_post_without_the_code_decides_nothing(desk: Desk) -> None:
    """A scanner that posts the form it found."""
    answer = desk.post(decision="approve", code="")
    assert answer.status == 403
    assert "4 more tries are left" in answer.html
    assert desk.approvals.decision(NAME) is None


def test_a_code_may_be_typed_with_blanks(desk: Desk) -> None:
    """As people copy it."""
    code = desk.mail()[1]
    assert desk.post(decision="approve", code=f" {code[:3]} {code[3:]} ").status == 200


def test_law_5_five_wrong_codes_void_the_link_and_tell_the_operators(desk: Desk) -> None:
    """Even the right code decides nothing afterwards; the other approver still can."""
    statuses = [desk.post(decision="approve", code=wrong(desk)).status for _ in range(5)]
    assert statuses == [403, 403, 403, 403, 410]
    assert desk.post(decision="approve").status == 410
    assert desk.call("GET", desk.mail()[0]).status == 410
    (told,) = desk.mailer.told_operators()
    assert "voided after wrong codes" in told.subject
    assert "198.51.100.7" in told.text
    assert desk.approvals.decision(NAME) is None
    assert desk.post(TWO, decision="approve").status == 200


def test_law_5_the_right_code_counts_at_the_fifth_try(desk: Desk) -> None:
    """Four typing errors are human."""
    for _ in range(4):
        desk.post(decision="approve", code=wrong(desk))
    assert desk.post(decision="approve").status == 200


def test_law_5_another_approver_s_code_is_a_wrong_code(desk: Desk) -> None:
    """Link and code belong together."""
    assert desk.post(decision="approve", code=desk.mail(TWO)[1]).status == 403


def test_law_5_a_used_link_is_used(desk: Desk) -> None:
    """Posting it again wakes nobody and changes nothing."""
    desk.post(decision="approve")
    again = desk.post(decision="reject", reason="changed my mind")
    assert again.status == 410
    assert f"{ONE} approved it" in again.html
    assert "<form" not in again.html
    assert desk.workflow.answers == {"token-1": {"decision": "approve"}}


def test_law_5_the_first_decision_wins(desk: Desk) -> None:
    """The other approver is told who decided, and how."""
    desk.post(TWO, decision="reject", reason="too expensive")
    late = desk.post(decision="approve")
    assert late.status == 410
    assert f"{TWO} rejected it on 24 Nov 2026 at 06:01 UTC: too expensive" in late.html
    assert list(desk.workflow.answers) == ["token-1"]


def test_law_5_two_clicks_at_once_are_one_decision(desk: Desk) -> None:
    """Both saw an open link; the conditional write tells them apart."""

    class Blind(FakeApprovals):
        def decision(self, execution: str) -> None:
            return None

    first = desk.post(decision="approve")
    blind = Blind()
    blind.__dict__.update(desk.approvals.__dict__)
    desk.approvals = blind
    second = desk.post(TWO, decision="reject", reason="no")
    assert (first.status, second.status) == (200, 409)
    assert f"{ONE} approved it" in second.html
    assert desk.workflow.answers == {"token-1": {"decision": "approve"}}


def test_law_5_an_expired_link_says_so(desk: Desk) -> None:
    """From the very moment on."""
    desk.now = NOW + timedelta(minutes=60)
    seen, answer = desk.call("GET", desk.mail()[0]), desk.post(decision="approve")
    assert (seen.status, answer.status) == (410, 410)
    assert "This proposal has expired" in answer.html
    assert "cpu=&#34;1024&#34;" in seen.html
    assert "<form" not in seen.html
    assert desk.approvals.decision(NAME) is None


def test_law_5_a_redriven_request_voids_the_old_links(desk: Desk) -> None:
    """The old link says where to look; the new one wakes the new token."""
    old = desk.mail()[0]
    desk.ask("token-2")
    answer = desk.call("GET", old)
    assert answer.status == 410
    assert "A newer mail about this incident has replaced it" in answer.html
    assert desk.post(decision="approve").status == 200
    assert list(desk.workflow.answers) == ["token-2"]


def test_law_5_a_guessed_link_leads_nowhere(desk: Desk) -> None:
    """And does not say what it might have been."""
    for link in ("", "x", "A" * 43):
        assert desk.call("GET", link).status == 404
        assert desk.call("POST", link, {"decision": "approve"}).status == 404


def test_law_2_a_changed_proposal_is_neither_shown_nor_approved(desk: Desk) -> None:
    """The page is rendered only from the document that was mailed."""
    data = desk.artifacts.read(PROPOSAL)
    desk.artifacts.write(PROPOSAL, data.replace(b'"1024"', b'"2048"'))
    shown, answer = desk.call("GET", desk.mail()[0]), desk.post(decision="approve")
    assert (shown.status, answer.status) == (409, 409)
    assert "2048" not in shown.html
    assert desk.approvals.decision(NAME) is None
    assert desk.workflow.answers == {}


def test_law_2_the_form_carries_the_digest_that_was_read(desk: Desk) -> None:
    """A form of another proposal decides nothing about this one."""
    answer = desk.post(decision="approve", digest="0" * 64)
    assert answer.status == 409
    assert desk.approvals.decision(NAME) is None


def test_law_8_a_decision_that_cannot_be_delivered_is_kept_for_the_sweep(desk: Desk) -> None:
    """It is written first; the approver is told that it takes a minute."""

    class Broken(FakeWorkflow):
        def succeed(self, token: str, output: object) -> None:
            raise RuntimeError("throttled")

    desk.workflow = Broken()
    answer = desk.post(decision="approve")
    assert answer.status == 200
    assert "This may take a minute" in answer.html
    assert desk.approvals.undelivered(desk.now + timedelta(minutes=1)) == [NAME]


def test_a_decision_nobody_waits_for_says_so(desk: Desk) -> None:
    """The execution was stopped while the mail lay there."""
    desk.workflow = FakeWorkflow()
    answer = desk.post(decision="approve")
    assert "It came too late" in answer.html
    assert desk.approvals.undelivered(desk.now + timedelta(1)) == []
    assert "nobody waiting" in desk.incidents.get(NAME).notes[-1].text


def test_a_form_too_large_is_413(desk: Desk) -> None:
    """Nobody writes a novel here."""
    assert desk.post(decision="reject", reason="x" * 20_000).status == 413


def test_law_7_what_strangers_wrote_is_text(desk: Desk) -> None:
    """Markup of an alert or a reason stays what it is: letters."""
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    desk.incidents.records[NAME] = proposals.incident().model_copy(update={"summary": hostile})
    desk.ask("token-2")
    html = desk.call("GET", desk.mail()[0]).html
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    desk.post(decision="reject", reason=hostile)
    assert "<script" not in desk.call("GET", desk.mail()[0]).html


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//evil.example"])
def test_law_7_only_web_addresses_become_links(desk: Desk, link: str) -> None:
    """A link of the evidence is data, too."""
    evidence = proposals.evidence()
    number = evidence.numbers[0].model_copy(update={"link": link})
    changed = evidence.model_copy(update={"numbers": (number,)})
    key = artifact_key(NAME, 1, "evidence")
    desk.artifacts.write(key, changed.model_dump_json().encode())
    desk.ask("token-2")
    assert link not in desk.call("GET", desk.mail()[0]).html


def test_mode_propose_shows_a_page_without_buttons() -> None:
    """It can be read, after its expiry as well, and never decided."""
    desk = Desk(mode=Mode.PROPOSE)
    with pytest.raises(Exception, match="mode `propose`"):
        desk.ask()
    desk.now = NOW + timedelta(days=1)
    link, code = desk.mail()
    html = desk.call("GET", link).html
    assert "<form" not in html
    assert "Nothing can be approved here" in html
    assert code == ""
    assert desk.post(decision="approve").status == 403
    assert desk.incidents.get(NAME).status is Status.OPEN


def test_pages_are_sent_with_headers_that_forbid_everything() -> None:
    """No script, no frame, no cache, no referrer; the style is allowed by its hash."""
    headers = page.headers()
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
