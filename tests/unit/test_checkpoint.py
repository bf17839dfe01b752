"""What the stack's state binds, and what it tells."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from backburn.checkpoint import read
from backburn.errors import Refused
from backburn.workload import Resource
from tests.fakes.engine import PROVIDER, TASK, FakeEngine
from tests.fakes.program import shop
from tests.unit.test_catalogue import TASK as RESOURCE


def export() -> dict[str, Any]:
    """The shop's state."""
    return copy.deepcopy(dict(FakeEngine(shop()).export(shop())))


def test_the_moment_it_was_written_is_not_bound() -> None:
    """The manifest's time changes without any meaning."""
    later = export()
    later["deployment"]["manifest"]["time"] = "2027-01-01"
    assert read(later).sha256 == read(export()).sha256


@pytest.mark.parametrize("where", ["inputs", "outputs"])
def test_law_2_everything_else_is_bound(where: str) -> None:
    """Any input or output of any resource."""
    other = export()
    next(r for r in other["deployment"]["resources"] if r["urn"] == TASK)[where]["x"] = 0.5
    assert read(other).sha256 != read(export()).sha256


def test_it_names_providers_and_finds_resources() -> None:
    """The provider's version, and a URN by type and logical name."""
    state = read(export())
    assert state.providers == {PROVIDER: "aws 7.51.1"}
    assert state.urn(RESOURCE) == TASK
    assert state.urn(Resource(type=RESOURCE.type, name="other")) is None
    assert state.resources[TASK]["cpu"] == "512"


def test_pending_operations_are_named() -> None:
    """By kind and resource."""
    found = export()
    found["deployment"]["pending_operations"] = [
        {"type": "creating", "resource": {"urn": TASK}},
        {},
    ]
    assert read(found).pending == (
        "creating TaskDefinition shop-task",
        "an operation a resource",
    )


def test_another_format_is_refused() -> None:
    """A version of the format that is not known may say anything."""
    with pytest.raises(Refused, match="version 4, we know 3"):
        read(export() | {"version": 4})


def test_an_empty_stack_has_a_state() -> None:
    """A stack that was never deployed."""
    assert read({"version": 3, "deployment": None}).resources == {}
