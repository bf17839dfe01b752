"""The mailbox page over the local AWS's outbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from sandbox.mailbox.outbox import mails
from sandbox.mailbox.server import application
from tests.fakes.asgi_server import serving

LINK = "http://127.0.0.1:4566/approvals/abc"
FIRST = {
    "at": 1_790_000_000.5,
    "to": "approver@example.com",
    "subject": "Approve a change of chatbot",
    "message": f"Open\n\n  {LINK}\n\nor see (https://example.com/x). <script>alert(1)</script>",
    "topic": "arn:aws:sns:us-east-1:000000000000:approver-1",
}


def put(outbox: Path, name: str, mail: object) -> None:
    """One file of the outbox."""
    (outbox / f"{name}.json").write_text(json.dumps(mail))


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    """Two mails and what is none."""
    put(tmp_path, "1-a", FIRST)
    put(tmp_path, "2-b", {**FIRST, "at": FIRST["at"] + 60, "subject": "It is done"})  # type: ignore[operator]
    put(tmp_path, "3-c", {"no": "mail"})
    (tmp_path / "4-d.json").write_text("{half")
    (tmp_path / ".draft").write_text("{}")
    return tmp_path


def get(outbox: Path, path: str) -> httpx.Response:
    """One page."""
    with serving(application(outbox)) as url:
        return httpx.get(url + path)


def test_mails_come_oldest_first_and_the_rest_is_passed_over(outbox: Path) -> None:
    """Drafts, halves and strangers' files are nobody's mail."""
    assert [mail.id for mail in mails(outbox)] == ["1-a", "2-b"]
    assert mails(outbox)[0].at == datetime(2026, 9, 21, 14, 13, 20, 500_000, UTC)


def test_the_json_tells_what_the_page_tells(outbox: Path) -> None:
    """To, subject, message and topic of each, for the demo's approver."""
    first, second = get(outbox, "/mails.json").json()
    assert {key: first[key] for key in ("id", "to", "subject", "message", "topic")} == {
        "id": "1-a",
        "to": FIRST["to"],
        "subject": FIRST["subject"],
        "message": FIRST["message"],
        "topic": "approver-1",
    }
    assert second["subject"] == "It is done"


def test_the_list_shows_the_newest_first(outbox: Path) -> None:
    """Each mail's subject leads to it."""
    page = get(outbox, "/").text
    assert page.index("It is done") < page.index("Approve a change")
    assert 'href="/mails/1-a"' in page


def test_links_can_be_clicked_without_the_sentence_around_them(outbox: Path) -> None:
    """The address ends before the bracket and the full stop."""
    page = get(outbox, "/mails/1-a").text
    assert f'<a href="{LINK}" rel="noopener noreferrer" target="_blank">{LINK}</a>' in page
    assert '<a href="https://example.com/x" ' in page


def test_what_strangers_wrote_is_only_shown(outbox: Path) -> None:
    """Markup in a mail is text, and the page may run nothing."""
    page = get(outbox, "/mails/1-a")
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_mail_that_is_not_there(outbox: Path) -> None:
    """404, with a way back."""
    page = get(outbox, "/mails/9-z")
    assert page.status_code == 404
    assert 'href="/"' in page.text


def test_an_empty_outbox_is_a_page_too(tmp_path: Path) -> None:
    """Before the first mail."""
    assert "No mail yet" in get(tmp_path, "/").text
    assert get(tmp_path, "/mails.json").json() == []
