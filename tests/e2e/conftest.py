"""One world for all played incidents: the deployed stacks, the real engine, real traffic."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.story import Story
from sandbox.world import World


@pytest.fixture(scope="session")
def story() -> Story:
    """What happens, told into the test's captured output."""
    return Story()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, story: Story) -> Iterator[World]:
    """A sandbox of its own, ended with everything it started."""
    directory: Path = tmp_path_factory.mktemp("sandbox")
    with World(directory, story.say) as made:
        yield made
