"""A Pulumi engine in memory: it understands the shop of `program.py` and nothing else."""

# ruff: noqa: D102  # the port's docstring is the contract

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from backburn.errors import Broken, Locked
from backburn.patch import Files
from backburn.update import Event, Run

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
ARN = "arn:aws:ecs:us-east-1:000000000000:task-definition/shop:{}"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:aws::default_7_51_1"


def urn(kind: str, name: str) -> str:
    """A URN of the shop."""
    return f"urn:pulumi:dev::shop::{kind}::{name}"


STACK = urn("pulumi:pulumi:Stack", "shop-dev")
CLUSTER = urn("aws:ecs/cluster:Cluster", "shop-cluster")
TASK = urn("aws:ecs/taskDefinition:TaskDefinition", "shop-task")
SERVICE = urn("aws:ecs/service:Service", "shop-service")


class FakeEngine:
    """What is deployed, and what a program would change about it."""

    def __init__(self, files: Files) -> None:
        self.revision = 1
        self.serving = 1  # the revision that the service runs
        self.task = self._task(files)
        self.desired = self._desired(files)
        self.pending: list[dict[str, Any]] = []
        self.holders: list[tuple[str, int]] = []  # who has locked the stack
        self.fails_at = ""  # the URN whose step the cloud refuses
        self.breaks_off = False  # the build is killed once everything is applied
        self.calls: list[str] = []
        self.pid = 4711

    def versions(self, files: Files) -> tuple[str, str]:
        return "3.259.0", "python 0.0.1"

    def export(self, files: Files) -> Mapping[str, Any]:
        self.calls.append("export")
        provider = {"urn": PROVIDER, "type": "pulumi:providers:aws"}
        states = [
            {"urn": STACK, "type": "pulumi:pulumi:Stack"},
            provider | {"inputs": {"version": "7.51.1"}},
            {"urn": CLUSTER, "inputs": {"name": "shop"}},
            {"urn": TASK, "inputs": self.task, "outputs": {"arn": ARN.format(self.revision)}},
            {"urn": SERVICE, "inputs": self._service(self.desired, ARN.format(self.serving))},
        ]
        deployment = {"manifest": {"time": str(len(self.calls))}, "resources": states}
        return {"version": 3, "deployment": deployment | {"pending_operations": self.pending}}

    def preview(self, files: Files) -> Mapping[str, Any]:
        self.calls.append("preview")
        return self._preview(files)

    def plan(self, files: Files) -> tuple[Mapping[str, Any], bytes]:
        self.calls.append("plan")
        document = self._preview(files)
        return document, json.dumps([self._wanted(files), self._world()]).encode()

    def up(self, files: Files, plan: bytes, started: Callable[[int], None]) -> Run:
        self.calls.append("up")
        started(self.pid)
        if self.holders:
            raise Locked("the stack is locked by somebody", tuple(self.holders))
        if json.loads(plan) != [self._wanted(files), self._world()]:
            return Run(ok=False, events=(), said="resource violates plan")
        events = tuple(self._carry_out(files))
        ok = not any("resOpFailedEvent" in event for event in events)
        if self.breaks_off:
            raise KeyboardInterrupt
        return Run(ok, events, "" if ok else "No Fargate configuration exists for given values.")

    def unlock(self, files: Files) -> None:
        self.calls.append("unlock")
        self.holders.clear()

    def _preview(self, files: Files) -> dict[str, Any]:
        wanted = self._wanted(files)
        told = [
            {"op": "refresh", "urn": TASK, "provider": f"{PROVIDER}::id", "detailedDiff": None},
            {"op": "same", "urn": STACK},
            {"op": "same", "urn": CLUSTER, "provider": f"{PROVIDER}::id"},
            *self._task_step(wanted),
            *self._service_step(wanted),
        ]
        return {"steps": told, "duration": 12, "diagnostics": [], "changeSummary": {"same": 2}}

    def _task_step(self, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
        names = self.task | wanted["task"]
        moved = [k for k in names if wanted["task"].get(k) != self.task.get(k)]
        paths = dict.fromkeys(moved, "update-replace")
        old, new = {"inputs": self.task}, {"inputs": wanted["task"]}
        return [_step("replace" if paths else "same", TASK, paths, old, new)]

    def _service_step(self, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
        replaced = wanted["task"] != self.task
        moved = replaced or self.serving != self.revision
        paths = {"taskDefinition": "update"} if moved else {}
        paths |= {"desiredCount": "update"} if wanted["desired"] != self.desired else {}
        target = UNKNOWN if replaced else ARN.format(self.revision)
        old = {"inputs": self._service(self.desired, ARN.format(self.serving))}
        new = {"inputs": self._service(wanted["desired"], target)}
        return [_step("update" if paths else "same", SERVICE, paths, old, new)]

    def _carry_out(self, files: Files) -> list[Event]:
        steps = [s for s in self._preview(files)["steps"] if s["op"] in {"replace", "update"}]
        events: list[Event] = []
        wanted = self._wanted(files)
        for step in steps:
            if step["urn"] == self.fails_at:
                events.append({"resOpFailedEvent": {"metadata": _metadata(step)}})
                break
            if step["urn"] == TASK:
                self.revision += 1
                self.task = wanted["task"]
                step["newState"]["outputs"] = {"arn": ARN.format(self.revision)}
                parts = ("create-replacement", "replace", "delete-replaced")
                told = [_metadata(step | {"op": op}) for op in parts]
                events += [{"resOutputsEvent": {"metadata": part}} for part in told]
            else:
                self.serving, self.desired = self.revision, wanted["desired"]
                step["newState"]["inputs"] = self._service(self.desired, ARN.format(self.serving))
                events.append({"resOutputsEvent": {"metadata": _metadata(step)}})
        return events

    def _wanted(self, files: Files) -> dict[str, Any]:
        text = files["__main__.py"].decode()
        if (found := re.search(r"^raise (.*)$", text, re.MULTILINE)) is not None:
            raise Broken(f"the program does not run: {found[1]}")
        return {"task": self._task(files), "desired": self._desired(files)}

    def _world(self) -> list[Any]:
        return [self.task, self.desired, self.revision, self.serving]

    @staticmethod
    def _task(files: Files) -> dict[str, Any]:
        text = files["__main__.py"].decode()
        cpu, memory = (re.search(rf'{n}="(\d+)"', text) for n in ("cpu", "memory"))
        assert cpu is not None
        assert memory is not None
        kept = {"skipDestroy": True} if "skip_destroy=True" in text else {}
        kinds = ["FARGATE"] if '["FARGATE"]' in text else ["EC2"]
        size = {"family": "shop", "cpu": cpu[1], "memory": memory[1]}
        return size | {"requiresCompatibilities": kinds} | kept

    @staticmethod
    def _desired(files: Files) -> int:
        found = re.search(r"shop:desired: (\d+)", files["Pulumi.dev.yaml"].decode())
        assert found is not None
        return int(found[1])

    @staticmethod
    def _service(desired: int, task_definition: str) -> dict[str, Any]:
        return {"name": "shop", "desiredCount": desired, "taskDefinition": task_definition}


def _step(
    op: str, what: str, paths: Mapping[str, str], old: dict[str, Any], new: dict[str, Any]
) -> dict[str, Any]:
    diff = {path: {"kind": kind, "inputDiff": True} for path, kind in paths.items()}
    step = {"op": op, "urn": what, "provider": f"{PROVIDER}::id", "detailedDiff": diff}
    return step | {"oldState": old, "newState": new}


def _metadata(step: Mapping[str, Any]) -> dict[str, Any]:
    gone = step["op"] == "delete-replaced"
    diff = {
        path: {"diffKind": told["kind"], "inputDiff": True}
        for path, told in step["detailedDiff"].items()
    }
    return {
        "op": step["op"],
        "urn": step["urn"],
        "provider": step["provider"],
        "old": step["oldState"],
        "new": None if gone else step["newState"],
        "detailedDiff": None if gone else diff,
    }
