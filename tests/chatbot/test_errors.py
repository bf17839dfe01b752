"""What fails is recorded where it failed, and told to the caller."""

from __future__ import annotations

import boto3
import httpx
import pytest
from opentelemetry.trace import StatusCode

from chatbot.app import index as indexes
from chatbot.app.index import LocalIndex
from chatbot.app.ingest import embedded
from chatbot.app.settings import Settings
from tests.chatbot.conftest import PASSAGES, Chatbot

CALL = "chat anthropic.claude-3-5-sonnet-20240620-v1:0"
CHAT = {"message": "What is a burn rate?"}


@pytest.fixture(scope="module")
def throttled(
    bedrock_url: str, runtime: object, index: LocalIndex
) -> tuple[httpx.Response, Chatbot]:
    """A chat that the model provider refused, however often it was tried."""
    chatbot = Chatbot(runtime, index)
    quota = f"{bedrock_url}/_sandbox/quota"
    httpx.post(quota, json={"throttle_share": 1}).raise_for_status()
    answer = chatbot.post("/api/chat", json=CHAT)
    httpx.post(quota, json={}).raise_for_status()
    return answer, chatbot


Throttled = tuple[httpx.Response, Chatbot]


def test_a_throttled_chat_is_a_500_that_says_so(throttled: Throttled) -> None:
    """The caller gets the workshop's shape of a failure."""
    answer, _ = throttled
    assert answer.status_code == 500
    assert (answer.json()["success"], answer.json()["error"]) == (False, "ThrottlingException")
    assert "Too many requests" in answer.json()["message"]


def test_the_error_began_at_the_model_call(throttled: Throttled) -> None:
    """Only the span that failed has the exception; its ancestors are errors without one."""
    _, chatbot = throttled
    failed = [span for span in chatbot.spans if span.status.status_code is StatusCode.ERROR]
    assert [span.name for span in failed] == [
        "POST",
        "rag.generate_response",
        "rag.llm_generation",
        CALL,
    ]
    assert [len(span.events) for span in failed] == [0, 0, 0, 1]
    origin = failed[-1]
    assert origin.events[0].name == "exception"
    assert "ThrottlingException" in str((origin.events[0].attributes or {})["exception.type"])
    assert (origin.attributes or {})["error.type"] == "ThrottlingException"


def test_the_spans_of_a_failed_chat_say_it_failed(throttled: Throttled) -> None:
    """The workshop's own success attributes agree with the status."""
    _, chatbot = throttled
    assert (chatbot.named("POST").attributes or {})["http.status_code"] == 500
    assert False is (chatbot.named("rag.generate_response").attributes or {})["rag.success"]
    llm = chatbot.named("rag.llm_generation").attributes or {}
    assert (llm["rag.llm.success"], llm["rag.llm.error"]) == (False, "ThrottlingException")


def test_a_refused_call_counts_its_retries(throttled: Throttled) -> None:
    """The client span has the last status and says that it was tried again twice."""
    _, chatbot = throttled
    told = chatbot.named(CALL).attributes or {}
    assert (told["http.status_code"], told["aws.retry_attempts"]) == (429, 2)


def test_a_search_that_fails_is_its_own_origin(runtime: object) -> None:
    """Without OpenSearch the client span to it holds the exception."""
    client = indexes.opensearch(Settings(opensearch_endpoint="http://127.0.0.1:9"))
    chatbot = Chatbot(runtime, client)
    assert chatbot.get("/api/chat/context?message=hello").status_code == 500
    origins = [span for span in chatbot.spans if span.events]
    assert [span.name for span in origins] == ["POST"]
    assert (origins[0].attributes or {})["db.system"] == "opensearch"


def test_a_corpus_that_cannot_be_embedded_says_where_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A task that cannot start names the model, the endpoint and the likely reason."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    nowhere = boto3.client("bedrock-runtime", region_name="us-east-1")
    with pytest.raises(RuntimeError, match=r"titan.*127\.0\.0\.1:9.*role"):
        embedded(nowhere, PASSAGES[:2])


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("{}", "message"),
        ('{"message": ""}', "message"),
        ('{"message": "x", "maxContextDocs": 11}', "maxContextDocs"),
        ("not json", "body"),
    ],
)
def test_a_wrong_question_is_refused_with_its_field(
    runtime: object, index: LocalIndex, body: str, where: str
) -> None:
    """A 400 names the field; nothing was searched, and the root is no error of the service."""
    chatbot = Chatbot(runtime, index)
    answer = chatbot.post("/api/chat", content=body)
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert answer.json()["message"].startswith(where)
    assert [span.name for span in chatbot.spans] == ["POST"]
    assert chatbot.spans[0].status.is_unset
