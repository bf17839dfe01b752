"""Which task sizes Fargate takes (ECS developer guide, "Task CPU and memory", 2026)."""

from __future__ import annotations

# CPU units: the MiB of memory they go with
SIZES = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}


def problem(cpu: str | None, memory: str | None) -> str | None:
    """What RegisterTaskDefinition answers to a size that Fargate does not take."""
    if not cpu or not memory:
        return "Fargate requires that 'cpu' and 'memory' be defined at the task level."
    if cpu.isdigit() and memory.isdigit() and int(memory) in SIZES.get(int(cpu), ()):
        return None
    return f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."
