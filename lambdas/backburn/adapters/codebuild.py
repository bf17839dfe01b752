"""CodeBuild: which build this is, and whether another one has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backburn.update import Holder


class CodeBuilds:
    """The builds of the account."""

    def __init__(self, codebuild: Any, environ: Mapping[str, str], host: str) -> None:
        self._codebuild = codebuild
        self._build = environ.get("CODEBUILD_BUILD_ID", "")
        self._host = host

    def holder(self, pid: int) -> Holder:
        """Name the running build as a lock of the stack does."""
        return Holder(build=self._build, host=self._host, pid=pid)

    def ended(self, build: str) -> bool:
        """Whether a build is over; False if that cannot be known."""
        if not build or build == self._build:
            return False
        found = self._codebuild.batch_get_builds(ids=[build])["builds"]
        return bool(found) and found[0]["buildStatus"] != "IN_PROGRESS"
