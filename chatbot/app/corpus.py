"""The passages that ship with the service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Passage:
    """A titled paragraph of one source document."""

    source: str
    title: str
    text: str


def passages(folder: Path = FOLDER) -> tuple[Passage, ...]:
    """Every `## title` with its paragraph, in the order of the files' names."""
    return tuple(
        Passage(file.stem, *(part.strip() for part in section.split("\n", 1)))
        for file in sorted(folder.glob("*.md"))
        for section in file.read_text(encoding="utf-8").split("\n## ")[1:]
    )
