"""The digest binds effects and all that is shown; the effects digest binds effects alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backburn.cost import Cost
from backburn.preview import mirror
from backburn.proposal import (
    ENCODING,
    Bound,
    Effects,
    Preview,
    Proposal,
    Shown,
    Tools,
    differing,
    digest,
    document,
    effects_digest,
    read,
)
from tests.unit.test_gate import CHANGE, CLUSTER, CPU, SERVICE_STEP, STACK, TASK_STEP

EXPIRES = datetime(2026, 11, 24, 13, tzinfo=UTC)
BOUND = Bound(
    incident="shop-1",
    attempt=1,
    workload="shop",
    project="shop",
    stack="dev",
    backend="s3://state",
    bundle="a" * 64,
    lockfile="b" * 64,
    config="c" * 64,
    tools=Tools(cli="3.259.0", host="python", sdk="pulumi 3.272.0", providers=("aws 7.51.1",)),
    checkpoint="d" * 64,
    change=CHANGE,
    diff="--- a\n+++ b\n",
    patch="e" * 64,
    steps=(SERVICE_STEP, TASK_STEP),
    same=(CLUSTER, STACK),
    mirror=mirror((SERVICE_STEP, TASK_STEP)),
)
PREVIEW = Preview(
    bound=BOUND,
    cost=Cost(before=1, after=2, basis="one task"),
    steps_in_words=("replace",),
    rollback_in_words=("replace back",),
)
EFFECTS = PREVIEW.effects(EXPIRES)


def proposal(effects: Effects = EFFECTS, **changes: Any) -> Proposal:
    """A proposal; fields of what is shown can be changed."""
    fields = {
        name: () if "tuple" in str(field.annotation) else "text"
        for name, field in Shown.model_fields.items()
    }
    return Proposal(effects=effects, shown=Shown.model_validate(fields | changes))


def test_the_preview_becomes_effects_with_an_expiry() -> None:
    """Nothing is added but the moment."""
    assert EFFECTS.model_dump(exclude={"expires"}) == BOUND.model_dump()
    assert (EFFECTS.expires, EFFECTS.encoding) == (EXPIRES, ENCODING)


@pytest.mark.parametrize("name", sorted(set(Effects.model_fields) - {"encoding"}))
def test_law_2_every_field_of_the_effects_is_bound(name: str) -> None:
    """Change any one and neither digest stays; the difference is named."""
    others: dict[str, Any] = {
        "attempt": 2,
        "tools": EFFECTS.tools.model_copy(update={"cli": "3.260.0"}),
        "change": CHANGE.model_copy(update={"why": "because"}),
        "steps": (SERVICE_STEP, TASK_STEP.model_copy(update={"paths": (CPU,)})),
        "same": (STACK,),
        "mirror": EFFECTS.steps,
        "expires": EXPIRES + timedelta(seconds=1),
    }
    other = EFFECTS.model_copy(update={name: others.get(name, "f" * 64)})
    assert effects_digest(other) != effects_digest(EFFECTS)
    assert digest(proposal(other)) != digest(proposal())
    assert differing(EFFECTS, other) == (name,)


def test_law_2_what_is_shown_is_bound_by_the_digest_alone() -> None:
    """Another cost on the page is another proposal with the same effects."""
    other = proposal(cost="nothing")
    assert digest(other) != digest(proposal())
    assert effects_digest(other.effects) == effects_digest(EFFECTS)


def test_law_2_stored_bytes_are_canonical_or_nothing() -> None:
    """A proposal comes back as it was stored; any other byte is refused."""
    data = document(proposal())
    assert read(data) == proposal()
    for tampered in (data + b" ", data.replace(b":1,", b": 1,", 1), b"{}", b"no JSON"):
        with pytest.raises(ValueError, match=r"canonical|validation"):
            read(tampered)


def test_law_2_another_encoding_never_compares() -> None:
    """An older tag is refused, not compared."""
    data = document(proposal()).replace(b"backburn.effects/v1", b"backburn.effects/v0")
    with pytest.raises(ValueError, match=r"backburn\.effects/v1"):
        read(data)
