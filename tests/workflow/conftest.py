"""One local AWS for all plays."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sandbox.processes import Processes
from tests.workflow.theatre import ROOT, Theatre, command, deploy


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """One local AWS with the real definition in it."""
    folder = tmp_path_factory.mktemp("workflow")
    processes = Processes(folder / "logs", ROOT)
    try:
        cloud = processes.start("aws", command(folder), dict(os.environ))
        stage = folder / "stage"
        stage.mkdir()
        made = Theatre(cloud.url(), stage)
        made.machine = deploy(made)
        yield made
    finally:
        processes.close()
