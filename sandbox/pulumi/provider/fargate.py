"""The sizes a Fargate task may have; RegisterTaskDefinition refuses any other pair."""

from __future__ import annotations

from typing import Any

# docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
PAIRS: dict[int, range | tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}


class ClientException(Exception):  # the service's own name
    """What ECS answers to a bad request."""


def check_pair(inputs: dict[str, Any]) -> None:
    """Refuse what the service refuses, in its words; the local AWS accepts any pair."""
    if "FARGATE" not in (inputs.get("requiresCompatibilities") or ()):
        return
    cpu, memory = str(inputs.get("cpu", "")), str(inputs.get("memory", ""))
    if not (cpu.isdecimal() and memory.isdecimal() and int(memory) in PAIRS.get(int(cpu), ())):
        raise ClientException("No Fargate configuration exists for given values.")
