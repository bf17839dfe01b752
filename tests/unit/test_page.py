from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest

from backburn import page
from backburn.inputs import UNKNOWN
from backburn.proposal import Proposal, document, read
from backburn.shown import amount, shown
from tests.fakes import proposals
from tests.fakes.patient import chatbot
from tests.fakes.proposals import NOW


def proposal() -> Proposal:
    """The larger task size, proposed."""
    preview = proposals.preview()
    told = shown(
        chatbot(), proposals.incident(), proposals.evidence(), proposals.diagnosis(), preview
    )
    return Proposal(effects=preview.effects(NOW + timedelta(hours=1)), shown=told)


def render(document: Proposal, **changes: Any) -> str:
    """The page of one approver."""
    known = {"digest": "d" * 64, "approver": "one@example.com", "decidable": True, "now": NOW}
    known |= {"headline": "Approve one change?"}
    return page.proposal(document, **(known | changes))


def test_law_2_the_page_is_made_of_the_document_alone() -> None:
    """What was stored, read back, gives the same page to the letter."""
    made = proposal()
    assert render(read(document(made))) == render(made)


def test_law_2_the_words_are_those_of_the_steps_that_are_bound() -> None:
    """A preview whose own words say less than its steps do fools nobody."""
    lying = {"steps_in_words": ("nothing",), "rollback_in_words": ("nothing",)}
    honest = proposals.preview()
    told = shown(
        chatbot(),
        proposals.incident(),
        proposals.evidence(),
        proposals.diagnosis(),
        honest.model_copy(update=lying),
    )
    assert sorted(told.steps) == sorted(honest.steps_in_words)
    assert sorted(told.rollback) == sorted(honest.rollback_in_words)


def test_law_2_no_character_makes_a_diff_look_like_another() -> None:
    """A line break of Unicode could feign an added line, a bidi mark turn a value around."""
    diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n # \u2028+cpu=1\r\n-a\u202e1\n+b\t2\n"
    assert page.diff_lines(diff) == [
        ("file", "--- a/x"),
        ("file", "+++ b/x"),
        ("hunk", "@@ -1 +1 @@"),
        ("same", " # \\u{2028}+cpu=1"),
        ("del", "-a\\u{202e}1"),
        ("add", "+b\t2"),
    ]


def test_the_style_is_allowed_by_its_hash() -> None:
    """The very text between the tags."""
    style = re.search(r"<style>(.*?)</style>", render(proposal()), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers()["content-security-policy"]


def test_no_inline_style_slips_past_the_policy() -> None:
    """Our own policy would block it."""
    assert not re.search(r"\sstyle=", render(proposal()))


def test_every_step_can_be_read_in_full() -> None:
    """Property by property, what is not known yet said so."""
    html = render(proposal())
    assert "<code>taskDefinition</code>" in html
    assert "<code>(known after the apply)</code>" in html
    assert UNKNOWN == {"$token": "unknown"}
    assert "14 other resources stay as they are" in html


def test_a_later_attempt_is_told_apart() -> None:
    """The mail of the first one may still lie there."""
    made = proposal()
    effects = made.effects.model_copy(update={"attempt": 2})
    assert "attempt 2" in render(made.model_copy(update={"effects": effects}))
    assert "attempt" not in render(made).split("<h1>")[0]


def test_a_problem_is_said_first() -> None:
    """Where a screen reader finds it, too."""
    html = render(proposal(), problem="That is not the code of the mail.")
    assert '<section class="problem" role="alert"><p>That is not' in html


def test_a_diff_is_coloured_line_by_line() -> None:
    """Added, removed, where, and the rest."""
    kinds = [kind for kind, _ in page.diff_lines("--- a\n+++ b\n@@ -1 +1 @@\n x\n-y\n+z\n")]
    assert kinds == ["file", "file", "hunk", "same", "del", "add"]


def test_long_values_are_cut_on_the_page() -> None:
    """A container definition has kilobytes; the record has all of it."""
    made = proposal()
    path = made.effects.steps[0].paths[0].model_copy(update={"before": {"a": ["x" * 900]}})
    step = made.effects.steps[0].model_copy(update={"paths": (path,)})
    effects = made.effects.model_copy(update={"steps": (step,)})
    html = render(made.model_copy(update={"effects": effects}))
    assert "x" * 300 not in html
    assert "x ...</code>" in html


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0078, "share", "0.8%"),
        (2870.4, "ms", "2.87 s"),
        (118.2, "ms", "118 ms"),
        (3.14, "ms", "3.1 ms"),
        (0.0, "ms", "0 ms"),
        (478.2, "1/min", "478/min"),
        (98.26, "%", "98 %"),
        (3.14159, "MiB", "3.142 MiB"),
    ],
)
def test_numbers_are_written_as_people_read_them(value: float, unit: str, text: str) -> None:
    """Few digits, a unit."""
    assert amount(value, unit) == text
