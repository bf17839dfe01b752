"""ministack has no plugin interface: its private names are replaced, and must be there."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any


class MinistackChangedError(RuntimeError):
    """A private name we replace or call is gone: the pinned ministack was changed."""


def require(module: ModuleType, *names: str) -> None:
    """Fail at start, naming what is missing, instead of patching past the code in use."""
    if missing := [name for name in names if not hasattr(module, name)]:
        raise MinistackChangedError(
            f"{module.__name__} lacks {', '.join(missing)}: the patches are for ministack 1.5.33; "
            "install sandbox/cloud/requirements.txt or adapt sandbox/cloud"
        )


def around(original: Callable[..., Any], replacement: Callable[..., Any]) -> Callable[..., Any]:
    """A function that calls `replacement` with the original before its arguments."""
    return lambda *args, **kwargs: replacement(original, *args, **kwargs)
