"""The environment's names, and what they do."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.resources import Resource

from chatbot.app.settings import Settings
from chatbot.app.task import Task
from chatbot.app.telemetry import resource


def test_the_workshops_names_are_levers() -> None:
    """Each is read."""
    env = {
        "BEDROCK_MODEL": "anthropic.claude-3-5-haiku-20241022-v1:0",
        "MAX_TOKENS": "750",
        "TEMPERATURE": "0.2",
        "MAX_CONTEXT_DOCS": "3",
        "RAG_INDEX": "local",
        "OTEL_SERVICE_NAME": "mine",
        "PORT": "8080",
        "WORKERS": "4",
    }
    told = Settings.of(env)
    assert (
        told.model,
        told.max_tokens,
        told.temperature,
        told.max_context_docs,
    ) == ("anthropic.claude-3-5-haiku-20241022-v1:0", 750, 0.2, 3)
    assert (told.index, told.service, told.port, told.workers) == ("local", "mine", 8080, 4)


def test_an_empty_environment_keeps_the_defaults() -> None:
    """Nothing is needed to start but a place to ask."""
    assert Settings() == Settings.of({})


def test_the_environment_may_add_to_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_RESOURCE_ATTRIBUTES replaces defaults, and never the revision."""
    told = "service.version=2.1.0,deployment.environment.name=ws,aws.ecs.task.revision=99"
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", told)
    made: Resource = resource(Settings(), Task(revision="7"))
    assert (
        made.attributes["service.version"],
        made.attributes["deployment.environment.name"],
        made.attributes["aws.ecs.task.revision"],
    ) == ("2.1.0", "ws", "7")
