"""The spans of one request: the workshop's names and attributes, on every one the revision."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from tests.chatbot.conftest import Chatbot

QUESTION = "Why is my chat slow when the task has little CPU?"
MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"


def ask(chatbot: Chatbot, **headers: str) -> None:
    """A chat that is answered."""
    body = {"message": QUESTION, "maxContextDocs": 3}
    answer = chatbot.post("/api/chat", json=body, headers=headers)
    assert answer.status_code == 200


def tree(spans: list[ReadableSpan]) -> dict[str, str | None]:
    """Each span's name with that of its parent."""
    names = {span.context.span_id: span.name for span in spans}
    return {span.name: names.get(span.parent.span_id) if span.parent else None for span in spans}


def test_a_chat_makes_the_workshops_tree(chatbot: Chatbot) -> None:
    """Each span of the workshop is there, under its parent."""
    ask(chatbot)
    assert {
        "POST": None,
        "rag.generate_response": "POST",
        "rag.vector_search": "rag.generate_response",
        "BedrockRuntime.InvokeModel": "rag.vector_search",
        "rag.format_context": "rag.generate_response",
        "rag.llm_generation": "rag.generate_response",
        f"chat {MODEL}": "rag.llm_generation",
    } == tree(chatbot.spans)


def test_the_root_says_which_request_it_was(chatbot: Chatbot) -> None:
    """The objective's columns are on the root, the status as an integer."""
    ask(chatbot)
    root = chatbot.named("POST")
    assert SpanKind.SERVER is root.kind
    assert {
        "http.method": "POST",
        "http.target": "/api/chat",
        "http.route": "/api/chat",
        "http.status_code": 200,
    }.items() <= dict(root.attributes or {}).items()
    assert root.status.is_unset


def test_every_span_carries_the_task_it_ran_in(chatbot: Chatbot) -> None:
    """Old and new revisions can be told apart on any span."""
    ask(chatbot)
    told = {
        (
            span.resource.attributes["aws.ecs.task.revision"],
            span.resource.attributes["service.name"],
        )
        for span in chatbot.spans
    }
    assert {("7", "otel-ai-chatbot-backend")} == told
    for name in ("aws.ecs.task.family", "service.version", "deployment.environment.name"):
        assert all(span.resource.attributes[name] for span in chatbot.spans)


def test_the_model_call_is_described_as_generative_ai(chatbot: Chatbot) -> None:
    """Model, limits and tokens are on the client span of the model."""
    ask(chatbot)
    span = chatbot.named(f"chat {MODEL}")
    told = dict(span.attributes or {})
    assert SpanKind.CLIENT is span.kind
    assert (
        told["gen_ai.system"],
        told["gen_ai.request.model"],
        told["gen_ai.request.max_tokens"],
        told["gen_ai.request.temperature"],
    ) == ("aws.bedrock", MODEL, 1000, 0.7)
    assert told["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert told["gen_ai.usage.input_tokens"] > 0
    assert told["gen_ai.usage.output_tokens"] > 0


def test_retrieval_tells_what_it_found(chatbot: Chatbot) -> None:
    """Counts and scores of the search, with max not below min."""
    ask(chatbot)
    told = dict(chatbot.named("rag.vector_search").attributes or {})
    assert (
        told["rag.k"],
        told["rag.vector_search.results_count"],
        told["rag.candidates"],
    ) == (3, 3, 6)
    assert (
        told["rag.vector_search.max_score"]
        >= told["rag.vector_search.avg_score"]
        >= told["rag.vector_search.min_score"]
    )
    assert (chatbot.named("rag.generate_response").attributes or {})["rag.documents_used"] == 3
    assert (chatbot.named("rag.format_context").attributes or {})["rag.context.sources"]


def test_a_question_without_context_searches_nothing(chatbot: Chatbot) -> None:
    """With includeContext false leaves retrieval out."""
    chatbot.post("/api/chat", json={"message": QUESTION, "includeContext": False})
    assert "rag.vector_search" not in tree(chatbot.spans)
    assert (chatbot.named("rag.generate_response").attributes or {})["rag.documents_used"] == 0


def test_the_callers_trace_is_continued(chatbot: Chatbot) -> None:
    """A traceparent header makes the request a part of that trace."""
    ask(chatbot, traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    assert {int("a" * 32, 16)} == {span.context.trace_id for span in chatbot.spans}


def test_the_query_stays_out_of_the_target(chatbot: Chatbot) -> None:
    """A neighbour's root span is named by its path alone, so that it can be grouped by."""
    chatbot.get("/api/chat/context", params={"message": QUESTION})
    assert (chatbot.named("GET").attributes or {})["http.target"] == "/api/chat/context"


def test_health_checks_leave_no_trace(chatbot: Chatbot) -> None:
    """The load balancer's questions are not traced."""
    assert chatbot.get("/api/health").status_code == 200
    assert chatbot.spans == []


def test_an_unknown_path_is_a_span_without_a_route(chatbot: Chatbot) -> None:
    """Strangers' paths are traced, and have no route."""
    assert chatbot.get("/wp-login.php").status_code == 404
    assert "http.route" not in (chatbot.named("GET").attributes or {})
