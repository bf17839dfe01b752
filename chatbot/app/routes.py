"""The HTTP routes of the chatbot."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opentelemetry import trace
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .corpus import Passage
from .rag import Rag
from .settings import Settings
from .task import Task
from .telemetry import Telemetry, fail
from .tracing import TracedRequests
from .workers import Workers

FLUSH_SECONDS = 2


class Question(BaseModel):
    """The body of POST /api/chat, and the query of GET /api/chat/context."""

    model_config = ConfigDict(alias_generator=to_camel)

    message: str = Field(min_length=1, max_length=2000)
    max_context_docs: int | None = Field(default=None, ge=1, le=10)
    include_context: bool = True


def application(
    rag: Rag, workers: Workers, telemetry: Telemetry, settings: Settings, task: Task
) -> Starlette:
    """The service, ready to be served; its lifespan flushes the spans."""
    routes = Routes(rag, workers, settings, task)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        workers.shutdown()
        telemetry.flush(FLUSH_SECONDS)

    return Starlette(
        routes=[
            Route("/api/chat", routes.chat, methods=["POST"]),
            Route("/api/chat/context", routes.context),
            Route("/api/chat/providers", routes.providers),
            Route("/api/health", routes.health),
        ],
        middleware=[Middleware(TracedRequests, telemetry=telemetry)],
        lifespan=lifespan,
    )


class Routes:
    """One method for each route."""

    def __init__(self, rag: Rag, workers: Workers, settings: Settings, task: Task) -> None:
        self._rag = rag
        self._workers = workers
        self._settings = settings
        self._task = task
        self._requests = 0

    async def chat(self, request: Request) -> JSONResponse:
        """POST /api/chat: answer a question."""
        self._requests += 1
        try:
            question = Question.model_validate_json(await request.body())
        except ValidationError as wrong:
            return _refused(wrong)
        started = time.perf_counter()
        try:
            reply = await self._workers.run(
                lambda: self._rag.generate_response(
                    question.message, self._documents(question), context=question.include_context
                )
            )
        except Exception as failure:  # noqa: BLE001  (whatever it was, the caller gets a 500)
            return _failed(failure)
        return JSONResponse(
            {
                "success": True,
                "data": {
                    "response": reply.text,
                    "sources": [_source(passage) for passage in reply.sources],
                    "metadata": {
                        "provider": "bedrock",
                        "model": self._settings.model,
                        "documentsUsed": len(reply.sources),
                        "inputTokens": reply.answer.input_tokens,
                        "outputTokens": reply.answer.output_tokens,
                        "stopReason": reply.answer.stop_reason,
                        "durationMs": round((time.perf_counter() - started) * 1000, 1),
                        "cpuMs": round(reply.cpu_ms, 1),
                    },
                },
            }
        )

    async def context(self, request: Request) -> JSONResponse:
        """GET /api/chat/context?message=…: what a question would be answered from."""
        self._requests += 1
        try:
            question = Question.model_validate(dict(request.query_params))
        except ValidationError as wrong:
            return _refused(wrong)
        try:
            hits = await self._workers.run(
                lambda: self._rag.vector_search(question.message, self._documents(question))
            )
        except Exception as failure:  # noqa: BLE001  (as above)
            return _failed(failure)
        data = [{**_source(passage), "score": round(score, 4)} for passage, score in hits]
        return JSONResponse({"success": True, "data": data})

    async def providers(self, _: Request) -> JSONResponse:
        """GET /api/chat/providers: who answers, and how it is set."""
        self._requests += 1
        settings = self._settings
        data = {
            "provider": "bedrock",
            "model": settings.model,
            "maxTokens": settings.max_tokens,
            "temperature": settings.temperature,
        }
        return JSONResponse({"success": True, "data": [data]})

    async def health(self, _: Request) -> JSONResponse:
        """GET /api/health: cheap, not traced; tells what this process has spent so far."""
        return JSONResponse(
            {
                "status": "healthy",
                "family": self._task.family,
                "revision": self._task.revision,
                "cpuUnits": self._task.cpu_units,
                "workers": self._workers.count,
                "requests": self._requests,
                "cpuSeconds": round(time.process_time(), 3),
            }
        )

    def _documents(self, question: Question) -> int:
        return question.max_context_docs or self._settings.max_context_docs


def _source(passage: Passage) -> dict[str, str]:
    return {"source": passage.source, "title": passage.title, "content": passage.text}


def _failed(failure: Exception) -> JSONResponse:
    fail(trace.get_current_span(), failure)
    return JSONResponse(
        {"success": False, "error": type(failure).__name__, "message": str(failure)},
        status_code=500,
    )


def _refused(wrong: ValidationError) -> JSONResponse:
    first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    return JSONResponse(
        {"success": False, "error": "BadRequest", "message": f"{where}: {first['msg']}"},
        status_code=400,
    )
