"""The task's size and revision come from the metadata endpoint, as on Fargate."""

from __future__ import annotations

import httpx
import pytest

from chatbot.app.task import Task, describe
from tests.fakes.http_server import serving

TOLD = {
    "Family": "otel-ai-chatbot-app",
    "Revision": "12",
    "Limits": {"CPU": 1.0, "Memory": 2048},
}


def test_the_metadata_endpoint_says_size_and_revision() -> None:
    """Limits.CPU is in vCPU, the revision a string."""

    def metadata(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v4/abc/task"
        return httpx.Response(200, json=TOLD)

    with serving(metadata) as url:
        task = describe({"ECS_CONTAINER_METADATA_URI_V4": f"{url}/v4/abc"})
    assert Task(1024, "otel-ai-chatbot-app", "12") == task


def test_outside_of_ecs_the_environment_says_it() -> None:
    """A bare process can play any task."""
    told = describe({"TASK_CPU": "2048", "TASK_FAMILY": "mine", "TASK_REVISION": "3"})
    assert Task(2048, "mine", "3") == told
    assert Task() == describe({})


@pytest.mark.parametrize(("units", "workers"), [(64, 2), (256, 4), (512, 8), (1024, 16)])
def test_a_larger_task_lets_more_requests_at_once_into_the_model(units: int, workers: int) -> None:
    """Workers follow CPU units, and are never fewer than two."""
    assert workers == Task(cpu_units=units).workers


@pytest.mark.parametrize(("units", "processors"), [(256, 1), (512, 1), (1024, 1), (2048, 2)])
def test_rankings_at_once_follow_the_processors(units: int, processors: int) -> None:
    """A fraction of a processor still ranks one question at a time."""
    assert processors == Task(cpu_units=units).processors
