"""The chatbot in this process, in front of the real boto3 client and the Bedrock stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chatbot.app import bedrock, corpus
from chatbot.app.index import Index, LocalIndex
from chatbot.app.ingest import embedded
from chatbot.app.rag import Model, Rag
from chatbot.app.rerank import Reranker
from chatbot.app.routes import application
from chatbot.app.settings import Settings
from chatbot.app.task import Task
from chatbot.app.telemetry import Telemetry
from chatbot.app.workers import Workers
from sandbox.bedrock.server import application as bedrock_stand_in
from tests.fakes.asgi_server import serving

TASK = Task(cpu_units=512, family="otel-ai-chatbot-app", revision="7")
PASSAGES = corpus.passages()


class Chatbot:
    """The service with its parts, and every span it has made."""

    def __init__(
        self, runtime: object, index: Index, *, model: Model | None = None, workers: int = 2
    ) -> None:
        self.settings = Settings(index="local")
        self._exporter = InMemorySpanExporter()
        self.telemetry = Telemetry(self.settings, TASK, SimpleSpanProcessor(self._exporter))
        model = model or bedrock.Bedrock(runtime, self.settings, self.telemetry)
        rag = Rag(model, index, Reranker(PASSAGES), self.telemetry, candidates_per_document=2)
        self.app = application(rag, Workers(workers), self.telemetry, self.settings, TASK)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request; returns when the service is through with it, its root span ended."""
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://chatbot") as client:
            return await client.request(method, path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET, in an event loop of its own."""
        return asyncio.run(self.send("GET", path, **options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        """POST, in an event loop of its own."""
        return asyncio.run(self.send("POST", path, **options))

    @property
    def spans(self) -> list[ReadableSpan]:
        """All finished spans, in the order they started."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> ReadableSpan:
        """The one span of that name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span


@pytest.fixture(scope="session")
def bedrock_url() -> Iterator[str]:
    """The address of a Bedrock stand-in."""
    with serving(bedrock_stand_in()) as url:
        yield url


@pytest.fixture(scope="session")
def runtime(bedrock_url: str) -> object:
    """A real bedrock-runtime client."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", bedrock_url)
        client: object = bedrock.client(Settings(), connections=10)
        return client


@pytest.fixture(scope="session")
def index(runtime: object) -> LocalIndex:
    """The corpus, embedded once."""
    return LocalIndex(embedded(runtime, PASSAGES))


@pytest.fixture
def chatbot(runtime: object, index: LocalIndex) -> Chatbot:
    """A fresh chatbot on the real client."""
    return Chatbot(runtime, index)
