"""CodeBuild whose builds really run.

ministack 1.5.33 keeps projects, but StartBuild ignores every override and a build is metadata
unless a Docker daemon runs AWS's local agent. Here StartBuild starts the buildspec in a process
group of its own on this machine, unsandboxed, as the user of the server.
"""

# ruff: noqa: SLF001 - ministack's private names are what is replaced here

from __future__ import annotations

import contextvars
import copy
import threading
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import codebuild, ssm

from .build import Build
from .caller import Caller
from .patching import require
from .responses import Response, answer, refusal
from .settings import Settings

# Setting these makes an account that refuses builds, or one whose builds cannot start.
LIMIT = "/sandbox/codebuild/limit"  # how many builds may run at once
PROVISIONING = "/sandbox/codebuild/provisioning"  # why no build container can be had

_OVERRIDES = {
    "timeoutInMinutesOverride": ("timeoutInMinutes",),
    "artifactsOverride": ("artifacts",),
    "serviceRoleOverride": ("serviceRole",),
    "logsConfigOverride": ("logsConfig",),
    "buildspecOverride": ("source", "buildspec"),
    "sourceTypeOverride": ("source", "type"),
    "sourceLocationOverride": ("source", "location"),
    "imageOverride": ("environment", "image"),
    "computeTypeOverride": ("environment", "computeType"),
}

running: dict[str, Build] = {}
_settings: Settings


def install(settings: Settings) -> None:
    """Replace StartBuild and StopBuild."""
    global _settings  # noqa: PLW0603 - ministack's handlers take no context of ours
    require(codebuild, "_start_build", "_stop_build", "_make_build_record", "_build_id")
    require(codebuild, "_log_sink", "_builds", "_projects")
    require(ssm, "_parameters")
    _settings = settings
    codebuild._start_build, codebuild._stop_build = start_build, stop_build


def start_build(data: dict[str, Any]) -> Response:
    """StartBuild: record the build as IN_PROGRESS and run it in the background."""
    name = data.get("projectName", "")
    if name not in codebuild._projects:
        return refusal("ResourceNotFoundException", f"Project not found: {name}")
    limit = _parameter(LIMIT)
    if limit is not None and len(running) >= int(limit):
        message = f"Cannot have more than {limit} builds in queue for the account"
        return refusal("AccountLimitExceededException", message)
    project = overridden(codebuild._projects[name], data)
    record = codebuild._make_build_record(
        project, codebuild._build_id(name), data.get("sourceVersion")
    )
    record.pop("endTime")
    record.update(
        buildStatus="IN_PROGRESS", buildComplete=False, currentPhase="SUBMITTED", phases=[]
    )
    group = ((project.get("logsConfig") or {}).get("cloudWatchLogs") or {}).get("groupName")
    record["logs"]["groupName"] = group or record["logs"]["groupName"]
    record["logs"]["streamName"] = record["id"].split(":", 1)[1]
    codebuild._builds[record["id"]] = record
    build = Build(
        record,
        project,
        Caller(_settings.endpoint, get_account_id(), get_region()),
        codebuild._log_sink(record),
        _settings,
        refusal=_parameter(PROVISIONING),
    )
    running[record["id"]] = build
    threading.Thread(
        # ministack scopes its stores by account and region, which it keeps in context variables.
        target=contextvars.copy_context().run,
        args=(_run, build),
        daemon=True,
        name=record["id"],
    ).start()
    return answer({"build": copy.deepcopy(record)})


def stop_build(data: dict[str, Any]) -> Response:
    """StopBuild: end the process group; a build that already ended stays as it is."""
    identifier = data.get("id", "")
    if identifier not in codebuild._builds:
        message = f"Build not found: {identifier}"
        return refusal("ResourceNotFoundException", message)
    if build := running.get(identifier):
        build.stop()
    return answer({"build": copy.deepcopy(codebuild._builds[identifier])})


def stop_all() -> None:
    """End every build this server started."""
    for build in list(running.values()):
        build.stop()


def overridden(project: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """The project as this one StartBuild call wants it."""
    project = copy.deepcopy(project)
    for field, path in _OVERRIDES.items():
        if field in data:
            place = project
            for key in path[:-1]:
                place = place.setdefault(key, {})
            place[path[-1]] = data[field]
    environment = project.setdefault("environment", {})
    variables = {v["name"]: v for v in environment.get("environmentVariables") or ()}
    variables |= {v["name"]: v for v in data.get("environmentVariablesOverride") or ()}
    environment["environmentVariables"] = list(variables.values())
    return project


def _run(build: Build) -> None:
    try:
        build.run()
    finally:
        running.pop(build.id, None)


def _parameter(name: str) -> str | None:
    found = ssm._parameters.get(name)
    return None if found is None else str(found["Value"])
