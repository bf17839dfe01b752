"""A mail: plain text with an ASCII subject, from a file in mails/ (SNS can send nothing else)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template
from typing import NamedTuple

FOLDER = Path(__file__).parent / "mails"
SUBJECT_LIMIT = 99  # SNS: less than 100 characters, ASCII, no control characters
MARK = "Subject: "


class Mail(NamedTuple):
    """What is sent."""

    subject: str
    text: str


def write(name: str, values: Mapping[str, str]) -> Mail:
    """The mail `mails/<name>.txt` with its values; a value that is not given is a KeyError."""
    head, text = _template(name).split("\n\n", 1)
    subject = Template(head.removeprefix(MARK)).substitute(values)
    return Mail(subject_line(subject), Template(text).substitute(values))


def subject_line(text: str) -> str:
    """The text as SNS takes a subject, which refuses to send anything else."""
    ascii_only = text.encode("ascii", "replace").decode()
    printable = "".join(c if c.isprintable() else " " for c in ascii_only)
    return " ".join(printable.split())[:SUBJECT_LIMIT].rstrip()


def bullets(lines: tuple[str, ...] | list[str]) -> str:
    """Lines as a plain text list."""
    return "\n".join(f"  - {line}" for line in lines)


@cache
def _template(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
