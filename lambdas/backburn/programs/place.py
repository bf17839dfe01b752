"""One token of a program's text, and the value it stands for."""

from __future__ import annotations

import re

from backburn.errors import Abstained
from backburn.patch import Edit
from backburn.workload import Model

BOM = b"\xef\xbb\xbf"
COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class Place(Model):
    """Where a value stands. `start` counts bytes of the file, its BOM included."""

    file: str
    start: int
    line: int
    token: str  # as it is written, quotes included
    value: str

    def edit(self, value: str) -> Edit:
        """The same token with another value: quotes and prefix stay."""
        if self.token.count(self.value) != 1:
            raise Abstained(f"{self.file}:{self.line}: {self.token} cannot be rewritten safely")
        new = self.token.replace(self.value, value)
        return Edit(file=self.file, start=self.start, old=self.token, new=new)


def text_of(file: str, data: bytes) -> tuple[str, int]:
    """The text and the length of its BOM; Abstained unless it is UTF-8."""
    bom = len(BOM) if data.startswith(BOM) else 0
    for line in data[bom:].split(b"\n", 2)[:2]:
        found = COOKIE.match(line)
        if found and found[1].lower().replace(b"_", b"-") not in {b"utf-8", b"utf8", b"ascii"}:
            raise Abstained(f"{file} is not UTF-8 but {found[1].decode()}")
    try:
        return data[bom:].decode("utf-8"), bom
    except UnicodeDecodeError as wrong:
        raise Abstained(f"{file} is not UTF-8: byte {bom + wrong.start}") from wrong
