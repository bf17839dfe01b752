"""Paths and values of inputs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburn.errors import Refused
from backburn.inputs import UNKNOWN, UNKNOWN_MARKS, at, keys_of, shown, value_of


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("cpu", ["cpu"]),
        ("a.b[0].c", ["a", "b", 0, "c"]),
        ('tags["k8s.io/name"]', ["tags", "k8s.io/name"]),
        ('["a\\"b"].c', ['a"b', "c"]),
        ("subnets[1][2]", ["subnets", 1, 2]),
    ],
)
def test_paths_are_read(path: str, keys: list[str | int]) -> None:
    """Pulumi's property paths."""
    assert keys_of(path) == keys


@pytest.mark.parametrize("path", ["", "[0]", "a[", "a[x]", "a..b", 'a["b', "a[*]"])
def test_odd_paths_are_refused(path: str) -> None:
    """A path that cannot be read may name anything."""
    with pytest.raises(Refused, match="cannot read"):
        keys_of(path)


@pytest.mark.parametrize("mark", sorted(UNKNOWN_MARKS))
def test_every_unknown_is_one_token(mark: str) -> None:
    """The engine has a marker per type."""
    assert value_of([mark]) == [UNKNOWN]


def test_integers_that_came_as_doubles_are_integers() -> None:
    """Its numbers are doubles; true floats stay, and have no canonical form."""
    assert value_of({"n": 2.0, "x": 0.5}) == {"n": 2, "x": 0.5}


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=4))
def test_json_in_a_string_is_compared_by_value(document: dict[str, object]) -> None:
    """Order and blanks of a policy or of container definitions say nothing."""
    spaced = json.dumps(dict(reversed(document.items())), indent=3)
    assert value_of(spaced) == value_of(json.dumps(document))


def test_text_that_only_looks_like_json_is_text() -> None:
    """Unparsable is compared as it is."""
    assert value_of("{not json") == "{not json"
    assert value_of('{"a":1}') != value_of({"a": 1})


@pytest.mark.parametrize("key", ["$json", "$token"])
def test_law_2_no_input_looks_like_what_it_is_not(key: str) -> None:
    """An object that is written as we write JSON text, or a token, would bind as that."""
    with pytest.raises(Refused, match="which we use for ourselves"):
        value_of({"environment": {key: {"a": 1}}})


def test_law_2_json_that_says_a_name_twice_is_bound_as_text() -> None:
    """One reader takes the first and another the last."""
    twice = '{"image": "evil", "image": "good"}'
    assert value_of(twice) == twice != value_of('{"image": "good"}')


def test_a_missing_path_is_nothing() -> None:
    """Added or deleted properties have one side only."""
    assert at({"a": [1]}, "a[3].b") is None
    assert at({"a": 1}, "a.b") is None


def test_values_are_short_in_a_sentence() -> None:
    """Long ones are cut, tokens are named."""
    assert shown("x" * 90) == "x" * 57 + "..."
    assert shown(UNKNOWN) == "(known after the apply)"
    assert shown([1, True]) == "[1, true]"
