"""The local AWS and the runner end what they started, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import httpx
import psutil

from sandbox.processes import Processes
from tests.sandbox.cloud.world import (
    ROLE,
    ROOT,
    Cloud,
    definition,
    eventually,
    run_tasks,
    serve,
    start,
)


def test_the_local_aws_ends_its_builds_and_functions(tmp_path: Path) -> None:
    """SIGTERM is enough."""
    processes = Processes(tmp_path / "logs", ROOT)
    part = start(processes, tmp_path)
    try:
        cloud = Cloud(part.url(), tmp_path / "outbox")
        function = cloud.function("def handler(event, context):\n    return 1\n")
        cloud("lambda").invoke(FunctionName=function)
        spec = "version: 0.2\nphases: {build: {commands: ['sleep 600 & sleep 600']}}"
        cloud("codebuild").create_project(
            name="sleeps",
            source={"type": "NO_SOURCE", "buildspec": spec},
            artifacts={"type": "NO_ARTIFACTS"},
            serviceRole=ROLE,
            environment={
                "type": "LINUX_CONTAINER",
                "image": "any",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
        )
        cloud("codebuild").start_build(projectName="sleeps")
        server = psutil.Process(part.process.pid)
        # The function's worker, the build's shell, and two sleeps.
        started = eventually(lambda: server.children(recursive=True), lambda c: len(c) >= 4)
        assert len(started) >= 4
        part.process.terminate()
        assert part.process.wait(timeout=20) == 0
        assert psutil.wait_procs(started, timeout=5)[1] == []
    finally:
        processes.close()


def test_the_runner_ends_its_tasks(cloud: Cloud, processes: Processes, tmp_path: Path) -> None:
    """Tasks are no orphans: they end with their runner, without the scheduler's word."""
    serve(cloud, "ends", "ends", taskDefinition=definition(cloud))
    part = run_tasks(processes, cloud, tmp_path, "ends", "ends")
    url = part.url()
    eventually(lambda: httpx.get(url).status_code, lambda status: status == 200)
    tasks = psutil.Process(part.process.pid).children(recursive=True)
    assert len(tasks) == 1
    part.process.terminate()
    assert part.process.wait(timeout=20) == 0
    assert psutil.wait_procs(tasks, timeout=5)[1] == []
