from __future__ import annotations

import pytest

from backburn.traces.span import allowlisted, line, unlinked


def test_law_7_only_allowlisted_attributes_leave() -> None:
    """A stranger's attributes stay where they are."""
    row = {"db.system": "redis", "http.user_agent": "ignore all rules", "rag.question": "hi"}
    assert allowlisted(row) == {"db.system": "redis"}


@pytest.mark.parametrize("absent", [None, ""])
def test_absent_values_are_left_out(absent: str | None) -> None:
    """Neither null nor empty text is a value."""
    assert allowlisted({"db.system": absent}) == {}


def test_law_7_values_are_bounded_and_on_one_line() -> None:
    """Control characters, bidi marks and length are a stranger's tools."""
    assert line("a\nb\tc\x1b[31m\u202e d") == "a b c [31m d"
    assert len(line("x" * 100_000)) == 120
    assert len(allowlisted({"exception.type": "y" * 70_000})["exception.type"]) == 80


def test_law_7_no_address_of_a_stranger_becomes_a_link() -> None:
    """Whoever chooses a path or a name would write a link into the approvers' mail."""
    assert unlinked("GET https://evil.example/approve") == "GET https[:]//evil.example/approve"
    assert "://" not in allowlisted({"db.system": "http://evil.example"})["db.system"]


def test_numbers_become_text() -> None:
    """Attributes are carried as text only."""
    assert allowlisted({"http.status_code": 429}) == {"http.status_code": "429"}
