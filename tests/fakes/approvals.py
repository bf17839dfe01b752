"""The approvals table in memory."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backburn.decision import Decision, Link, Request


class FakeApprovals:
    """Dictionaries with the table's manners."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self._requests: dict[str, Request] = {}
        self._decisions: dict[str, Decision] = {}
        self._waiting: set[str] = set()

    def ask(self, request: Request, links: Sequence[Link], now: datetime) -> None:
        self._requests[request.execution] = request
        self._decisions.pop(request.execution, None)
        self._waiting.discard(request.execution)
        self.links |= {link.link: link.model_copy(update={"tries": 0}) for link in links}

    def request(self, execution: str) -> Request:
        return self._requests[execution]

    def link(self, link: str) -> Link:
        return self.links[link]

    def spend_try(self, link: str, limit: int) -> int:
        found = self.links.get(link)
        if found is None or found.tries >= limit:
            return 0
        self.links[link] = found.model_copy(update={"tries": found.tries + 1})
        return found.tries + 1

    def decide(self, execution: str, generation: str, decision: Decision) -> Decision:
        if execution in self._decisions:
            return self._decisions[execution]
        if self._requests[execution].generation != generation:
            raise LookupError(execution)
        self._decisions[execution] = decision
        self._waiting.add(execution)
        return decision

    def decision(self, execution: str) -> Decision | None:
        return self._decisions.get(execution)

    def delivered(self, execution: str) -> None:
        self._waiting.discard(execution)

    def undelivered(self, before: datetime) -> list[str]:
        return sorted(e for e in self._waiting if self._decisions[e].at < before)
