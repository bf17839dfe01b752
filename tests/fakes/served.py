"""Requests after a change, spread evenly over the slots of a look."""

from __future__ import annotations

from datetime import UTC, datetime

from backburn.sli import Counts, Series, Slot

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AT = int(NOON.timestamp())


def served(
    total: int, bad: int, *, revision: str | None = "8", until: int = 600, every: int = 10
) -> Series:
    """Requests spread evenly over the slots until so many seconds after noon."""
    slots = range(0, until, every)
    return Series(
        seconds=every,
        link="https://ui.test/1",
        slots=tuple(
            Slot(
                at=AT + at,
                revision=revision,
                counts=Counts(
                    good=_part(total - bad, i, len(slots)), bad=_part(bad, i, len(slots))
                ),
            )
            for i, at in enumerate(slots)
            if _part(total - bad, i, len(slots)) + _part(bad, i, len(slots))
        ),
    )


def _part(total: int, place: int, places: int) -> int:
    return total * (place + 1) // places - total * place // places
