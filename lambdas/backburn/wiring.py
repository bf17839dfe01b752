"""The composition root: the only file that knows concrete adapters and the environment.

Every function is lazy and cached per process, so that importing a handler needs no environment
and pays for no client it does not use.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache


def now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


@cache
def setting(name: str) -> str:
    """An environment variable that the stacks promise to set."""
    return os.environ[name]
