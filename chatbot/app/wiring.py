"""The composition root of the chatbot: the only file that knows concrete parts and the process."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from starlette.applications import Starlette

from . import bedrock, corpus, index
from .ingest import embedded
from .rag import Rag
from .rerank import Reranker
from .routes import application
from .settings import Settings
from .task import describe
from .telemetry import Telemetry
from .workers import Workers

EXPORT_EVERY_MS = 500
EXPORT_TIMEOUT = 2  # seconds: less than a container is given to stop
SPARE_CONNECTIONS = 2


def assemble(env: Mapping[str, str]) -> Starlette:
    """The service as the environment describes it; a local index is embedded here, once."""
    settings, task = Settings.of(env), describe(env)
    telemetry = Telemetry(
        settings,
        task,
        BatchSpanProcessor(
            OTLPSpanExporter(timeout=EXPORT_TIMEOUT), schedule_delay_millis=EXPORT_EVERY_MS
        ),
    )
    workers = Workers(settings.workers or task.workers)
    runtime = bedrock.client(settings, workers.count + SPARE_CONNECTIONS)
    model = bedrock.Bedrock(runtime, settings, telemetry)
    passages = corpus.passages()
    rag = Rag(
        model,
        index.LocalIndex(embedded(runtime, passages))
        if settings.index == "local"
        else index.opensearch(settings),
        Reranker(passages),
        telemetry,
        candidates_per_document=settings.candidates_per_document,
        processors=task.processors,
    )
    return application(rag, workers, telemetry, settings, task)
