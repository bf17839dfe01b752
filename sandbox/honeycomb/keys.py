"""API keys: what each kind may do, and how often."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from email.utils import formatdate

from starlette.requests import Request

from .errors import ApiError

INGEST = re.compile(r"hc[a-z]ik_")
MANAGEMENT = re.compile(r"hc[a-z]mk_")
MINUTE = 60.0
DEFAULT_PER_MINUTE = 100  # each operation by itself
QUERY_RESULTS_PER_MINUTE = 10  # documented; never relaxed here


def require_key(request: Request, revoked: Collection[str], *, events: bool = False) -> str:
    """The key of the request if it may do this, else a 401 that says why not."""
    key = str(request.headers.get("x-honeycomb-team", "")).strip()
    if not key:
        raise ApiError(401, "missing 'X-Honeycomb-Team' header")
    if key in revoked:
        raise ApiError(401, "unknown API key - check your credentials")
    if MANAGEMENT.match(key):
        raise ApiError(401, "a management key does not work on the v1 API")
    if is_ingest(key) and not events:
        raise ApiError(401, "an ingest key may only send events; use a configuration key")
    return key


def is_ingest(key: str) -> bool:
    """Whether the key may only send events (and ask what it is)."""
    return INGEST.match(key) is not None


class TooMany(ApiError):
    """429, with the moment of the next free place, which only some operations tell."""

    def __init__(self, retry_at: float) -> None:
        super().__init__(429, "request rate limit exceeded")
        self.retry_after = formatdate(retry_at, usegmt=True)


@dataclass
class RateLimit:
    """At most `most` calls in any minute, by caller and operation."""

    most: int
    clock: Callable[[], float]
    _calls: dict[tuple[str, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def take(self, key: str, operation: str) -> int:
        """Count one call; how many are left. A refused call is not counted."""
        now, calls = self.clock(), self._calls[key, operation]
        while calls and calls[0] <= now - MINUTE:
            calls.popleft()
        if len(calls) >= self.most:
            raise TooMany(calls[0] + MINUTE)
        calls.append(now)
        return self.most - len(calls)
