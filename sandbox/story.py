"""Telling what happens, line by line, at a terminal or in a log."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

_STYLES = {
    "world": "dim", "load": "dim", "fault": "bold red", "alert": "bold red", "mail": "bold cyan",
    "approver": "bold cyan", "problem": "bold red", "end": "bold green",
}  # fmt: skip


class Story:
    """One line an event: minutes since the start, who, what."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
        self.begun = time.monotonic()
        self._live = False

    def say(self, who: str, what: str) -> None:
        """Tell one event."""
        self._clear()
        style = _STYLES.get(who, "bold green")
        for number, line in enumerate(what.splitlines() or [""]):
            head = f"{self._clock()}  {who:<15}" if number == 0 else " " * 22
            # Not wrapped: a link in a mail must stay one link.
            self.console.print(Text(head, style), Text(line), soft_wrap=True)

    def pulse(self, what: str) -> None:
        """Show a passing figure: on one line that changes at a terminal, else not at all."""
        if self.console.is_terminal:
            self._live = True
            sys.stdout.write(f"\r\x1b[2K\x1b[2m{self._clock()}  {what[:90]}\x1b[0m")
            sys.stdout.flush()

    def diff(self, text: str) -> None:
        """Show a unified diff."""
        self._clear()
        self.console.print(Syntax(text.rstrip("\n"), "diff", background_color="default"))

    def table(self, title: str, head: list[str], rows: list[list[str]]) -> None:
        """Show figures side by side."""
        self._clear()
        table = Table(title=title, title_justify="left", title_style="bold")
        for number, name in enumerate(head):
            table.add_column(name, justify="left" if number == 0 else "right")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def _clock(self) -> str:
        passed = int(time.monotonic() - self.begun)
        return f"{passed // 60:02d}:{passed % 60:02d}"

    def _clear(self) -> None:
        if self._live:
            sys.stdout.write("\r\x1b[2K")
            self._live = False
