from __future__ import annotations

import pytest

from backburn.routes.approval import handler
from tests.fakes.http import approval


def test_what_does_not_work_is_a_page_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its environment the route still answers with a page and its headers."""
    monkeypatch.delenv("BACKBURN_APPROVALS_TABLE", raising=False)
    answer = handler(approval("GET", "x"), None)
    assert answer["statusCode"] == 503
    assert "Nothing was decided" in answer["body"]
    assert "BACKBURN" not in answer["body"]
    assert answer["headers"]["cache-control"] == "no-store"
