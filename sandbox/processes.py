"""The sandbox's child processes: started by us, known by id, ended by us, and only those."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h: the kernel ends a child whose parent was killed


class DidNotStartError(RuntimeError):
    """A part of the sandbox ended or stayed silent instead of saying `ready`."""


class Part:
    """One child process; its output goes to a log, its `ready <url>` line is its address."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path, cwd: Path
    ) -> None:
        self.name = name
        self.log = log
        self._url = ""
        self._told = threading.Event()
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                command,
                env={**env, "PYTHONUNBUFFERED": "1"},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
                # Binds the child to the *thread* that starts it: parts start in the main thread.
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        threading.Thread(target=self._follow, name=f"log of {name}", daemon=True).start()

    def url(self, within: float = 60) -> str:
        """The address it serves at, once it is ready; DidNotStartError otherwise."""
        self._told.wait(within)
        if not self._url:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            raise DidNotStartError(
                f"{self.name} did not say it is ready within {within:.0f} s. "
                f"Its log, {self.log}, ends:\n{tail}"
            )
        return self._url

    def _follow(self) -> None:
        with self.log.open("a") as out:
            for line in self.process.stdout or ():
                out.write(line)
                out.flush()
                if line.startswith("ready "):
                    self._url = line.split(maxsplit=1)[1].strip()
                    self._told.set()
        self._told.set()


class Processes:
    """The parts of one sandbox, ended in reverse order."""

    def __init__(self, logs: Path, cwd: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.logs, self.cwd = logs, cwd
        self.parts: list[Part] = []

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> Part:
        """Start a part; it may become ready later."""
        part = Part(name, command, env, self.logs / f"{name}.log", self.cwd)
        self.parts.append(part)
        return part

    def stop(self, name: str) -> None:
        """End one part and its whole process group."""
        for part in [p for p in self.parts if p.name == name]:
            _end([part])
            self.parts.remove(part)

    def close(self) -> None:
        """End every part, the last one first."""
        _end(list(reversed(self.parts)))
        self.parts.clear()

    def dead(self) -> list[str]:
        """The parts that ended by themselves."""
        return [part.name for part in self.parts if part.process.poll() is not None]


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(parts: Sequence[Part], within: float = 12) -> None:
    deadline = time.monotonic() + within
    for part in parts:
        if part.process.poll() is None:
            part.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.process.wait(max(0.1, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):  # what it started itself is in its group
            os.killpg(part.process.pid, signal.SIGKILL)
        part.process.wait()
