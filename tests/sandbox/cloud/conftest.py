"""One local AWS for all tests of this folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.processes import Processes
from tests.sandbox.cloud.world import Cloud, free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Child processes, all ended with the session."""
    started = Processes(tmp_path_factory.mktemp("logs"), ROOT)
    yield started
    started.close()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, processes: Processes) -> Cloud:
    """A local AWS of this session's own, whose minutes are seconds."""
    state = tmp_path_factory.mktemp("cloud")
    command = [str(ROOT / ".venv-cloud/bin/python"), "-m", "sandbox.cloud"]
    command += ["--port", str(free_port()), "--state-dir", str(state)]
    command += ["--outbox", str(state / "outbox"), "--lambda-python", sys.executable]
    command += ["--build-minute", "1", "--schedule-minute", "2", "--build-env", "TOOLBOX=full"]
    part = processes.start("cloud", command, {**os.environ, "PYTHONPATH": str(ROOT)})
    return Cloud(part.url(), state / "outbox")
