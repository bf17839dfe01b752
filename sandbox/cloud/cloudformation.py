"""CloudFormation keeps what ministack 1.5.33 drops from a template.

- LogsConfig of AWS::CodeBuild::Project: without it a build's log group is not the declared one.
"""

# ruff: noqa: SLF001 - ministack's private names are what is replaced here

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import codebuild
from ministack.services import stepfunctions as sfn
from ministack.services.cloudformation import provisioners

from .patching import require

_PROPERTIES = {"create": 1, "update": 2}  # which argument holds the resource's properties


def install() -> None:
    """Wrap the provisioners concerned."""
    require(provisioners, "_RESOURCE_HANDLERS")
    require(codebuild, "_projects")
    require(sfn, "_pascal_to_camel")
    handlers = provisioners._RESOURCE_HANDLERS["AWS::CodeBuild::Project"]
    for kind, position in _PROPERTIES.items():
        handlers[kind] = _keeping_logs(handlers[kind], position)


def _keeping_logs(original: Callable[..., Any], position: int) -> Callable[..., Any]:
    def provision(*args: Any, **kwargs: Any) -> Any:
        name, attributes = original(*args, **kwargs)
        logs = sfn._pascal_to_camel(args[position].get("LogsConfig") or {})
        codebuild._projects[name]["logsConfig"] = logs
        return name, attributes

    return provision
