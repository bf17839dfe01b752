from __future__ import annotations

from backburn.comparison import control
from tests.fakes.served import served


def test_old_beside_new_is_compared_where_both_served() -> None:
    """Only slots that hold both count."""
    old = served(300, 150, revision="7", until=300)
    new = served(600, 6, revision="8")
    both = old.model_copy(update={"slots": old.slots + new.slots})
    found = control(both, ("7",), ("8",), 0.01)
    assert found is not None
    assert (found.before.requests, found.before.bad) == (300, 150)
    assert (found.after.requests, found.after.bad, found.worse) == (300, 3, False)
    assert control(new, ("7",), ("8",), 0.01) is None
    assert control(new, ("8",), ("8",), 0.01) is None
    assert control(new, ("8",), (), 0.01) is None
