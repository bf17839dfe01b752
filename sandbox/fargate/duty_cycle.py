"""Holds a task to its CPU units without the kernel's help: by stopping and continuing it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Sequence

import psutil

_TICK = 0.02  # seconds between looks
_SAVED = 0.1  # seconds of CPU time an idle task may save up, as one period of the kernel's quota


class DutyCycle:
    """SIGSTOP when a task has used up its share, SIGCONT when it has earned some again."""

    name = "stop and continue (no writable cgroup here: coarser, and bursts are longer)"

    def fence(self, task: str, units: int) -> DutyFence:
        """A watcher for a new task."""
        return DutyFence(task, units / 1024)

    def close(self) -> None:
        """Nothing is left behind."""


class DutyFence:
    """Gives CPU time like a wage: so much a second, saved up to a limit."""

    def __init__(self, task: str, share: float) -> None:
        self._share = share
        self._ended = threading.Event()
        self._pid = 0
        self._used: dict[int, float] = {}  # CPU seconds by process, ended ones included
        self._watcher = threading.Thread(target=self._watch, name=f"quota of {task}", daemon=True)

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command as it is."""
        return list(command)

    def started(self, pid: int) -> None:
        """Watch it, and everything it starts."""
        self._pid = pid
        self._watcher.start()

    def cpu_seconds(self) -> float:
        """CPU time used so far."""
        return sum(self._used.values())

    def close(self) -> None:
        """Stop watching."""
        self._ended.set()

    def _watch(self) -> None:
        credit, before, stopped = _SAVED * self._share, 0.0, False
        while not self._ended.wait(_TICK):
            tree = self._look()
            used = self.cpu_seconds()
            credit = min(credit + _TICK * self._share - (used - before), _SAVED * self._share)
            before = used
            if stopped != (credit < 0):
                stopped = credit < 0
                for pid in tree:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGSTOP if stopped else signal.SIGCONT)

    def _look(self) -> list[int]:
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._pid)
            tree = [root, *root.children(recursive=True)]
            for process in tree:
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    times = process.cpu_times()
                    self._used[process.pid] = times.user + times.system
            return [process.pid for process in tree]
        return []
