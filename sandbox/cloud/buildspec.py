"""A buildspec, and the shell script each of its phases becomes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")


class BuildspecError(ValueError):
    """The buildspec cannot be used; CodeBuild fails such a build in DOWNLOAD_SOURCE."""


@dataclass(frozen=True)
class Buildspec:
    """What a build has to do."""

    shell: str = "sh"  # CodeBuild's default; on its Ubuntu images that is dash
    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    last_commands: Mapping[str, Sequence[str]] = field(default_factory=dict)  # `finally`
    artifacts: Mapping[str, Any] = field(default_factory=dict)


def read(text: str) -> Buildspec:
    """Parse a buildspec, JSON or YAML; BuildspecError says what is wrong with it."""
    try:
        spec = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BuildspecError(f"YAML_FILE_ERROR: {error}") from error
    if not isinstance(spec, dict):
        raise BuildspecError("YAML_FILE_ERROR: the buildspec is not a mapping")
    env, phases = spec.get("env") or {}, spec.get("phases") or {}
    if not phases:
        raise BuildspecError("YAML_FILE_ERROR: the buildspec has no phases")
    return Buildspec(
        shell=env.get("shell", "sh"),
        variables=_texts(env.get("variables")),
        parameters=_texts(env.get("parameter-store")),
        secrets=_texts(env.get("secrets-manager")),
        exported=tuple(env.get("exported-variables") or ()),
        commands=_lists(phases, "commands"),
        last_commands=_lists(phases, "finally"),
        artifacts=spec.get("artifacts") or {},
    )


def script(commands: Sequence[str], carry: Path, source: Path, *, succeeding: bool) -> list[str]:
    """The arguments of one shell that runs a phase: it stops at the first failing command.

    As in CodeBuild, exported variables and the working directory carry over to the next phase;
    `carry` is where they are kept in between.
    """
    keep, cwd, env = (shlex.quote(str(carry / name)) for name in ("exports", "cwd", "environ"))
    body = f"""
if [ -e {keep} ]; then . {keep}; cd "$(cat {cwd})"; else cd {shlex.quote(str(source))}; fi
export CODEBUILD_BUILD_SUCCEEDING={int(succeeding)}
trap 'export -p >{keep}; pwd >{cwd}; env -0 >{env}' EXIT
for __command in "$@"; do
  printf '[Container] Running command %s\\n' "$__command"
  eval "$__command"
  __status=$?
  [ $__status -eq 0 ] || exit $__status
done
"""
    return ["-c", body, "build", *commands]


def exported(carry: Path, names: Sequence[str]) -> list[dict[str, str]]:
    """The exported variables a build ended with, whatever characters they hold."""
    path = carry / "environ"
    if not path.exists():
        return []
    entries = path.read_bytes().split(b"\0")
    found = dict(entry.decode(errors="replace").partition("=")[::2] for entry in entries if entry)
    return [{"name": name, "value": found.get(name, "")} for name in names]


def _texts(mapping: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (mapping or {}).items()}


def _lists(phases: Mapping[str, Any], key: str) -> dict[str, list[str]]:
    return {
        name: [str(line) for line in (phases.get(name) or {}).get(key) or ()] for name in PHASES
    }
