"""A Patch: the few bytes of the program's text that realise one Change."""

from __future__ import annotations

import difflib
import hashlib
import itertools
from collections.abc import Mapping

from pydantic import Field

from .workload import Model

Files = Mapping[str, bytes]  # path within the bundle -> content


class PatchDoesNotFit(ValueError):
    """The text is not what the patch was made for; the message says where."""


class Edit(Model):
    """Replace one token of one file. Offsets are bytes, because line ends and BOMs are kept."""

    file: str
    start: int = Field(ge=0)
    old: str
    new: str

    def inverse(self, shift: int) -> Edit:
        """The edit that undoes this one, where earlier edits moved it by `shift` bytes."""
        return Edit(file=self.file, start=self.start + shift, old=self.new, new=self.old)


class Patch(Model):
    """Edits, and what they look like to a person."""

    edits: tuple[Edit, ...] = Field(min_length=1)
    diff: str = Field(description="unified diff of the text")
    sha256: str = Field(description="of the diff")


def make(files: Files, edits: tuple[Edit, ...]) -> Patch:
    """The patch of these edits on these files."""
    after = replaced(files, edits)
    diff = "".join(
        _diff(name, files[name], after[name]) for name in sorted({e.file for e in edits})
    )
    return Patch(edits=_ordered(edits), diff=diff, sha256=hashlib.sha256(diff.encode()).hexdigest())


def apply(patch: Patch, files: Files) -> dict[str, bytes]:
    """The files with the patch applied; every byte outside the edits is as it was."""
    if make(files, patch.edits) != patch:
        raise PatchDoesNotFit("the diff is not what its edits do to these files: locate again")
    return replaced(files, patch.edits)


def inverse(patch: Patch, patched: Files) -> Patch:
    """The patch that takes the patched files back."""
    edits: list[Edit] = []
    shifts: dict[str, int] = {}
    for edit in patch.edits:
        shift = shifts.get(edit.file, 0)
        edits.append(edit.inverse(shift))
        shifts[edit.file] = shift + len(edit.new.encode()) - len(edit.old.encode())
    return make(patched, tuple(edits))


def unapplied(patch: Patch, patched: Files) -> dict[str, bytes]:
    """The files as they were before the patch."""
    return apply(inverse(patch, patched), patched)


def replaced(files: Files, edits: tuple[Edit, ...]) -> dict[str, bytes]:
    """The files with every edit made, each where its old text stands."""
    after = dict(files)
    for edit in reversed(_ordered(edits)):
        text = after.get(edit.file)
        if text is None:
            raise PatchDoesNotFit(f"{edit.file} is not in the bundle")
        old = edit.old.encode()
        if text[edit.start : edit.start + len(old)] != old:
            raise PatchDoesNotFit(f"{edit.file}: no {edit.old!r} at byte {edit.start}")
        after[edit.file] = text[: edit.start] + edit.new.encode() + text[edit.start + len(old) :]
    return after


def _ordered(edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    ordered = tuple(sorted(edits, key=lambda e: (e.file, e.start)))
    for a, b in itertools.pairwise(ordered):
        if a.file == b.file and a.start + len(a.old.encode()) > b.start:
            raise PatchDoesNotFit(f"{a.file}: two edits meet at byte {b.start}")
    return ordered


def _diff(name: str, before: bytes, after: bytes) -> str:
    # Only \n ends a line of a diff: a \r\n file keeps its \r visible to the digest.
    old, new = (text.decode().split("\n") for text in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="")
    return "".join(f"{line}\n" for line in lines)
