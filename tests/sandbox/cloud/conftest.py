"""One local AWS for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.processes import Processes
from tests.sandbox.cloud.world import ROOT, Cloud, start


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
    minutes = ["--build-minute", "1", "--schedule-minute", "2"]
    part = start(processes, state, *minutes, "--build-env", "TOOLBOX=full")
    return Cloud(part.url(), state / "outbox")
