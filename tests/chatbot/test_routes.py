"""What the routes answer."""

from __future__ import annotations

from tests.chatbot.conftest import Chatbot


def test_a_chat_is_answered_from_sources(chatbot: Chatbot) -> None:
    """The workshop's shape: response, sources, metadata."""
    body = {"message": "How is a Pulumi update rolled back?", "maxContextDocs": 2}
    told = chatbot.post("/api/chat", json=body).json()
    assert told["success"] is True
    assert told["data"]["response"]
    assert len(told["data"]["sources"]) == 2
    assert "Rollback" in {source["title"] for source in told["data"]["sources"]}
    metadata = told["data"]["metadata"]
    assert (
        metadata["provider"],
        metadata["documentsUsed"],
        metadata["stopReason"],
    ) == ("bedrock", 2, "end_turn")
    assert metadata["cpuMs"] > 0


def test_context_shows_what_a_question_would_be_answered_from(chatbot: Chatbot) -> None:
    """Retrieval alone, with scores."""
    told = chatbot.get("/api/chat/context?message=throttling&maxContextDocs=1").json()
    assert [passage["title"] for passage in told["data"]] == ["Throttling"]
    assert 0 < told["data"][0]["score"] <= 1


def test_providers_name_the_model_and_its_limits(chatbot: Chatbot) -> None:
    """The cheap neighbour of the chat."""
    (provider,) = chatbot.get("/api/chat/providers").json()["data"]
    assert (provider["provider"], provider["maxTokens"]) == ("bedrock", 1000)


def test_health_counts_what_the_process_served(chatbot: Chatbot) -> None:
    """Requests and CPU seconds so far, the task's size and revision; checks do not count."""
    chatbot.get("/api/chat/providers")
    told = chatbot.get("/api/health").json()
    assert (
        told["status"],
        told["revision"],
        told["cpuUnits"],
        told["requests"],
    ) == ("healthy", "7", 512, 1)
    assert told["cpuSeconds"] > 0
