"""The builds of an account in memory."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

from backburn.update import Holder


class FakeBuilds:
    """One build that runs, and others that may have ended."""

    def __init__(self, build: str = "deploy:2", host: str = "here") -> None:
        self.build = build
        self.host = host
        self.over: set[str] = set()

    def holder(self, pid: int) -> Holder:
        return Holder(build=self.build, host=self.host, pid=pid)

    def ended(self, build: str) -> bool:
        return build in self.over and build != self.build
