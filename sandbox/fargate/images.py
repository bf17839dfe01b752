"""Container images, which are folders and commands on this machine."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class NoImageError(LookupError):
    """Nothing here stands for the image; on Fargate the task could not pull it."""


@dataclass(frozen=True)
class Image:
    """What stands for an image: where it runs, its environment, its command if it has one."""

    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Images:
    """Image names, `*` allowed, and what stands for them."""

    table: Mapping[str, Image]

    def find(self, name: str) -> Image:
        """What stands for the image; NoImageError says which name was asked for."""
        for pattern, image in self.table.items():
            if fnmatch.fnmatchcase(name, pattern):
                return image
        raise NoImageError(
            f"CannotPullContainerError: pull image manifest has been retried 1 time(s): "
            f"failed to resolve ref {name}: not found"
        )


def read(text: str) -> Images:
    """Parse `{"name*": {"cwd": "...", "env": {...}, "command": [...]}}`, or `@file` of it."""
    given = Path(text[1:]).read_text() if text.startswith("@") else text
    table: dict[str, dict[str, Any]] = json.loads(given)
    return Images(
        {
            name: Image(Path(entry["cwd"]), entry.get("env", {}), tuple(entry.get("command", ())))
            for name, entry in table.items()
        }
    )
