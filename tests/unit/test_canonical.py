"""One document, one byte string."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburn.canonical import NotCanonical, canonical, digest

DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(DOCUMENTS)
def test_nothing_is_lost(document: Any) -> None:
    """The bytes are JSON of the same document."""
    assert json.loads(canonical(document)) == document


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers(0, 9)))
def test_order_of_keys_does_not_matter(document: dict[str, int]) -> None:
    """The same members in another order are the same document."""
    assert canonical(dict(reversed(document.items()))) == canonical(document)


def test_order_of_lists_matters() -> None:
    """Sorting a real list would hide a real change."""
    assert digest([1, 2]) != digest([2, 1])


def test_keys_are_sorted_by_utf_16() -> None:
    """RFC 8785: an astral character sorts by its surrogates, before U+FB33."""
    expected = '{"\\u000f":1,"1":1,"\u00f6":1,"\U0001f600":1,"\ufb33":1}'
    assert canonical(dict.fromkeys("\ufb33\U0001f6001\u00f6\x0f", 1)).decode() == expected


def test_whitespace_and_escapes_are_the_shortest() -> None:
    """No blanks, and only what JSON must escape is escaped."""
    assert canonical({"a": ["\n", '"', "\u20ac", True, None]}) == (
        '{"a":["\\n","\\"","\u20ac",true,null]}'.encode()
    )


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": [1, 2.5]}, r"\$\.a\[1\]"),
        ({"a": float("nan")}, r"\$\.a"),
        (2**53, r"\$"),
        ({1: 2}, "not a string"),
        ({"a": "\ud800"}, "surrogate"),
        (object(), "no canonical form"),
    ],
)
def test_what_two_engines_could_print_differently_is_refused(value: Any, where: str) -> None:
    """Floats, large integers, odd keys and broken text have no canonical form."""
    with pytest.raises(NotCanonical, match=where):
        canonical(value)
