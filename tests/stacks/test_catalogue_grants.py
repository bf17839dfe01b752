"""The catalogue and the deploy build's role, held against each other."""

from __future__ import annotations

import pytest

from backburn.catalogue import CATALOGUE, Setting
from tests.stacks.template import Template


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=list(CATALOGUE))
def test_law_9_the_deploy_build_may_call_what_a_setting_needs(
    template: Template, row: Setting
) -> None:
    """A setting whose calls are not granted would fail half-way through an update."""
    granted = {grant.action for grant in template.of("Deploy")}
    assert set(row.api_calls) - granted == set()
