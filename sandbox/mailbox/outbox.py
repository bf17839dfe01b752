"""The folder into which the local AWS drops each mail it sends."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LINK = re.compile(r"https?://[^\s<>\"]+")
AFTER_A_LINK = ".,;:!?)]'"  # belongs to the sentence, not to the address


@dataclass(frozen=True)
class Mail:
    """One mail as its reader gets it."""

    id: str
    to: str
    subject: str
    message: str
    topic: str
    at: datetime

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it is a link."""
        pieces: list[tuple[str, bool]] = []
        end = 0
        for found in LINK.finditer(self.message):
            link = found[0].rstrip(AFTER_A_LINK)
            pieces += [(self.message[end : found.start()], False), (link, True)]
            end = found.start() + len(link)
        pieces.append((self.message[end:], False))
        return [piece for piece in pieces if piece[0]]


def mails(outbox: Path) -> list[Mail]:
    """Every mail there is, oldest first; a file that is no mail is passed over."""
    found = []
    for file in sorted(outbox.glob("*.json")):
        # Gone between listing and reading, or not written by us: neither is anybody's mail.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found.append(_mail(file, json.loads(file.read_text(encoding="utf-8"))))
    return sorted(found, key=lambda mail: mail.at)


def _mail(file: Path, told: dict[str, Any]) -> Mail:
    return Mail(
        id=file.stem,
        to=str(told["to"]),
        subject=str(told["subject"]),
        message=str(told["message"]),
        topic=str(told.get("topic", "")).rsplit(":", 1)[-1],
        at=datetime.fromtimestamp(told.get("at") or file.stat().st_mtime, UTC),
    )
