"""Holds a task to its CPU units, by the best means this machine has, and measures what it used.

1,024 units are one CPU. Fargate enforces them with the kernel's CFS quota; so do cgroups here,
where they can be written. Elsewhere the task is stopped and continued.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from .duty_cycle import DutyCycle

UNITS = 1024  # of one CPU
_PERIOD = 100_000  # microseconds, the kernel's default
# A task's CPU on Fargate is its own. Here the whole sandbox shares it, and each process outside
# weighs as much as our whole group: so the group gets the most that the kernel allows.
_DEDICATED_V1, _DEDICATED_V2 = "262144", "10000"
_ENTER = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 126; shift; done; shift; exec "$@"'


class NoQuotaError(OSError):
    """The machine does not offer that mechanism to the user."""


class Fence(Protocol):
    """What one task is held by."""

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command that runs `command` inside the fence from its first instruction."""
        ...

    def started(self, pid: int) -> None:
        """The process was started."""
        ...

    def cpu_seconds(self) -> float:
        """CPU time used so far by the task and everything it started."""
        ...

    def close(self) -> None:
        """Every process has ended: remove the fence."""
        ...


class Quota(Protocol):
    """One way to hold tasks to their units."""

    name: str

    def fence(self, task: str, units: int) -> Fence:
        """A fence for a new task."""
        ...

    def close(self) -> None:
        """Remove what was made for it."""
        ...


class CgroupV1:
    """cgroup v1: cpu.cfs_quota_us."""

    name = "kernel quota (cgroup v1, cpu.cfs_quota_us)"

    def __init__(self, mounts: Sequence[str]) -> None:
        self._cpu = _group(_v1_mount(mounts, "cpu"))
        (self._cpu / "cpu.shares").write_text(_DEDICATED_V1)
        self._accounting = self._cpu
        with contextlib.suppress(NoQuotaError):
            accounting = _v1_mount(mounts, "cpuacct")
            if accounting != self._cpu.parent:
                self._accounting = _group(accounting)

    def fence(self, task: str, units: int) -> Fence:
        """A group with the task's share of each period."""
        group = _subgroup(self._cpu, task)
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(units * _PERIOD // UNITS))
        accounting = _subgroup(self._accounting, task)
        return _CgroupFence((group, accounting), accounting / "cpuacct.usage", 1e9)

    def close(self) -> None:
        """Remove the parent groups."""
        _remove(self._cpu, self._accounting)


class CgroupV2:
    """cgroup v2: cpu.max."""

    name = "kernel quota (cgroup v2, cpu.max)"

    def __init__(self, mounts: Sequence[str]) -> None:
        self._group = _group(_v2_mount(mounts))
        try:
            (self._group / "cpu.weight").write_text(_DEDICATED_V2)
            # Only a group that holds no process itself may hand a controller down.
            (self._group.parent / "cgroup.subtree_control").write_text("+cpu")
            (self._group / "cgroup.subtree_control").write_text("+cpu")
        except OSError as error:
            _remove(self._group)
            raise NoQuotaError(f"cgroup v2 hands no cpu controller down: {error}") from error

    def fence(self, task: str, units: int) -> Fence:
        """A group with the task's share of each period."""
        group = _subgroup(self._group, task)
        (group / "cpu.max").write_text(f"{units * _PERIOD // UNITS} {_PERIOD}")
        return _CgroupFence((group,), group / "cpu.stat", 1e6)

    def close(self) -> None:
        """Remove the parent group."""
        _remove(self._group)


class _CgroupFence:
    def __init__(self, groups: Sequence[Path], usage: Path, per_second: float) -> None:
        self._groups, self._usage, self._per_second = (
            tuple(dict.fromkeys(groups)),
            usage,
            per_second,
        )

    def inside(self, command: Sequence[str]) -> list[str]:
        files = [str(group / "cgroup.procs") for group in self._groups]
        return ["/bin/sh", "-c", _ENTER, "sh", *files, "--", *command]

    def started(self, pid: int) -> None:
        pass

    def cpu_seconds(self) -> float:
        text = self._usage.read_text()
        fields = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
        return float(fields.get("usage_usec", text)) / self._per_second

    def close(self) -> None:
        _remove(*self._groups)


def choose(wanted: str = "") -> Quota:
    """The best mechanism this machine offers, or the wanted one (v1, v2, duty-cycle)."""
    mounts = _mounts()
    for name, make in (("v1", CgroupV1), ("v2", CgroupV2)):
        if wanted in ("", name):
            try:
                return make(mounts)
            except NoQuotaError:
                if wanted:
                    raise
    return DutyCycle()


def _mounts() -> list[str]:
    path = Path("/proc/mounts")
    return path.read_text().splitlines() if path.exists() else []


def _v1_mount(mounts: Sequence[str], controller: str) -> Path:
    for line in mounts:
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup" and controller in options.split(","):
            return Path(where)
    raise NoQuotaError(f"no cgroup v1 hierarchy with the {controller} controller is mounted")


def _v2_mount(mounts: Sequence[str]) -> Path:
    for line in mounts:
        _, where, kind, *_ = line.split()
        controllers = Path(where, "cgroup.controllers")
        if kind == "cgroup2" and "cpu" in controllers.read_text().split():
            return Path(where)
    raise NoQuotaError("no cgroup v2 hierarchy with the cpu controller is mounted")


def _group(mount: Path) -> Path:
    group = mount / f"backburn-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        for left in mount.glob("backburn-*"):
            owner = left.name.split("-")[1]
            if not Path("/proc", owner).exists():
                _sweep(left)
        group.mkdir()
    except OSError as error:
        raise NoQuotaError(f"{mount} cannot be written: {error}") from error
    return group


def _sweep(left: Path) -> None:
    """Remove what a killed runner left behind, with the tasks it could not end."""
    tasks = [path for path in left.iterdir() if path.is_dir()]
    for task in tasks:
        for pid in (task / "cgroup.procs").read_text().split():
            if pid != "0":  # what the kernel shows of a process outside our PID namespace
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
    _remove(*tasks, left)


def _subgroup(parent: Path, task: str) -> Path:
    group = parent / task
    group.mkdir(exist_ok=True)
    return group


def _remove(*groups: Path) -> None:
    for group in dict.fromkeys(groups):
        for _ in range(20):  # a group whose last process just ended is busy for a moment
            with contextlib.suppress(FileNotFoundError):
                try:
                    group.rmdir()
                except OSError:
                    time.sleep(0.05)
                    continue
            break
