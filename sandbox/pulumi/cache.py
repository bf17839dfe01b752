"""Where the Pulumi CLI and the programs' packages are kept between runs and checkouts."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def cache() -> Path:
    """BACKBURN_CACHE, else ~/.cache/backburn."""
    return Path(os.environ.get("BACKBURN_CACHE") or Path.home() / ".cache" / "backburn").absolute()


def say(line: str) -> None:
    """Tell the person who waits; stdout is for results."""
    print(f"set-up: {line}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock beside `path`, so that two set-ups at once make it once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{what}: another process is at it, waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
