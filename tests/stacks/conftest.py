"""Synthesised once per run: importing the CDK and synthesising takes seconds."""

from __future__ import annotations

import pytest

from tests.stacks.synthesis import synthesise
from tests.stacks.template import Template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The synthesised stack."""
    return Template(synthesise(tmp_path_factory.mktemp("synth")))
