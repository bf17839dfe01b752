"""What the local AWS is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """One local AWS: where it listens, what its builds and functions run with."""

    port: int
    outbox: Path  # each SNS mail becomes a file here
    lambda_python: str  # interpreter of the functions, whatever their Runtime says
    build_path: str  # put before PATH in builds: the tools of the build image
    build_env: dict[str, str] = field(default_factory=dict)
    build_minute: float = 60.0  # seconds in a minute of a build's timeout
    schedule_minute: float = 60.0  # seconds in a minute of an EventBridge rate()

    @property
    def endpoint(self) -> str:
        """Where every AWS API answers."""
        return f"http://127.0.0.1:{self.port}"
