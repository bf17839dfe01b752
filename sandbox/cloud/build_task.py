"""`codebuild:startBuild` and `.sync`, which ministack 1.5.33 answers with States.Runtime."""

# ruff: noqa: SLF001 - ministack's private names are what is called here

from __future__ import annotations

import copy
import json
import time
from typing import Any

from ministack.services import codebuild
from ministack.services import stepfunctions as sfn

from . import running_task
from .codebuild import start_build, stop_build
from .patching import require
from .responses import REFUSED, content
from .running_task import RunningTask

_POLL = 0.1  # seconds between looks at a build


def install() -> None:
    """Add both, and `aws-sdk:codebuild:*`."""
    require(sfn, "_AWS_SDK_SERVICE_MAP", "_AWS_SDK_ERROR_PREFIX", "_SERVICE_DISPATCH")
    require(sfn, "_pascal_to_camel", "_ExecutionError")
    require(codebuild, "_builds")
    sfn._AWS_SDK_SERVICE_MAP["codebuild"] = {
        "target_prefix": "CodeBuild_20161006",
        "protocol": "json",
        "param_case": "lower-camel",
    }
    sfn._AWS_SDK_ERROR_PREFIX["codebuild"] = "CodeBuild"
    sfn._SERVICE_DISPATCH["arn:aws:states:::codebuild:startBuild"] = build_task


def build_task(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """`codebuild:startBuild`, and with `.sync` wait for it; a stopped task stops its build."""
    response = start_build(sfn._pascal_to_camel(arguments))
    started = content(response)
    if response[0] == REFUSED:
        raise sfn._ExecutionError(f"CodeBuild.{started['__type']}", started["message"])
    build = codebuild._builds[started["build"]["id"]]
    if ".sync" in resource:
        _wait_for(build, running_task.current())
    output = {"Build": _pascal(copy.deepcopy(build))}
    if ".sync" in resource and build["buildStatus"] != "SUCCEEDED":
        raise sfn._ExecutionError("States.TaskFailed", json.dumps(output))
    return output


def _wait_for(build: dict[str, Any], task: RunningTask) -> None:
    deadline = time.monotonic() + (task.timeout or float("inf"))
    while not build.get("buildComplete"):
        if task.ended or time.monotonic() > deadline:
            stop_build({"id": build["id"]})
            raise sfn._ExecutionError("States.Timeout", "The task's build was stopped")
        time.sleep(_POLL)


def _pascal(value: Any) -> Any:
    """The way Step Functions spells an API's answer, with its times in milliseconds."""
    if isinstance(value, dict):
        return {
            key[:1].upper() + key[1:]: inner * 1000
            if key in ("startTime", "endTime") and isinstance(inner, (int, float))
            else _pascal(inner)
            for key, inner in value.items()
        }
    return [_pascal(inner) for inner in value] if isinstance(value, list) else value
