"""ministack has no plugin interface: its private names are replaced, and must be there."""

from __future__ import annotations

from types import ModuleType


class MinistackChangedError(RuntimeError):
    """A private name we replace or call is gone: the pinned ministack was changed."""


def require(module: ModuleType, *names: str) -> None:
    """Fail at start, naming what is missing, instead of patching past the code in use."""
    if missing := [name for name in names if not hasattr(module, name)]:
        raise MinistackChangedError(
            f"{module.__name__} lacks {', '.join(missing)}: the patches are for ministack 1.5.33; "
            "install sandbox/cloud/requirements.txt or adapt sandbox/cloud"
        )
