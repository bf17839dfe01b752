"""The builds of the account: the fake and CodeBuild keep one contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from backburn.adapters.codebuild import CodeBuilds
from backburn.ports import Builds
from backburn.update import Holder
from tests.fakes.builds import FakeBuilds

Make = Callable[[dict[str, str]], Builds]


def fake(builds: dict[str, str]) -> Builds:
    """In memory; builds by id with their status."""
    found = FakeBuilds("deploy:2", "here")
    found.over = {b for b, status in builds.items() if status != "IN_PROGRESS"}
    return found


def codebuild(builds: dict[str, str]) -> Builds:
    """CodeBuild, whose answers are held against its own model."""
    client: Any = boto3.client(
        "codebuild", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stubber = Stubber(client)
    stubber.add_response(
        "batch_get_builds",
        {"builds": [{"id": b, "buildStatus": status} for b, status in builds.items()]},
        {"ids": ["deploy:1"]},
    )
    stubber.activate()
    return CodeBuilds(client, {"CODEBUILD_BUILD_ID": "deploy:2"}, "here")


@pytest.fixture(params=[fake, codebuild])
def make(request: pytest.FixtureRequest) -> Make:
    """Either."""
    found: Make = request.param
    return found


def test_a_build_names_itself_as_a_lock_does(make: Make) -> None:
    """Build, host and process."""
    assert make({}).holder(99) == Holder(build="deploy:2", host="here", pid=99)


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT", "FAULT"])
def test_a_build_that_is_over_has_ended(make: Make, status: str) -> None:
    """However it ended."""
    assert make({"deploy:1": status}).ended("deploy:1")


def test_what_is_not_known_to_have_ended_has_not(make: Make) -> None:
    """Still running, unknown, this one, or none at all."""
    assert not make({"deploy:1": "IN_PROGRESS"}).ended("deploy:1")
    assert not make({}).ended("deploy:1")
    assert not make({"deploy:2": "SUCCEEDED"}).ended("deploy:2")
    assert not make({}).ended("")
