"""The wire: Converse, InvokeModel for Titan embeddings, AWS's error shape, and our own knobs."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .embedding import LATENCY_MS, embed
from .model import converse, tokens
from .quota import Gate, Quota

QUOTAS = TypeAdapter(Quota)
TOO_MANY = "Too many requests, please wait before trying again."


def application() -> Starlette:
    """The stand-in, with a quota of its own."""
    server = Server()
    return Starlette(
        routes=[
            Route("/model/{model:path}/converse", server.converse, methods=["POST"]),
            Route("/model/{model:path}/invoke", server.invoke, methods=["POST"]),
            Route("/_sandbox/quota", server.quota, methods=["GET", "POST"]),
        ]
    )


class Server:
    """One account's Bedrock."""

    def __init__(self) -> None:
        self._gate = Gate()

    async def converse(self, request: Request) -> Response:
        """Answer after the time the model needs, or refuse at once."""
        try:
            said = converse(request.path_params["model"], json.loads(await request.body()))
        except (ValueError, KeyError, TypeError) as wrong:
            return _error(400, "ValidationException", f"Malformed input request: {wrong!r}")
        if not self._gate.enter(time.monotonic(), random.random()):
            return _error(429, "ThrottlingException", TOO_MANY)
        latency = said.latency_ms * self._gate.quota.latency_factor
        try:
            await asyncio.sleep(latency / 1000)
        finally:
            self._gate.leave()
        return _ok(
            {
                "output": {"message": {"role": "assistant", "content": [{"text": said.text}]}},
                "stopReason": said.stop_reason,
                "usage": {
                    "inputTokens": said.input_tokens,
                    "outputTokens": said.output_tokens,
                    "totalTokens": said.input_tokens + said.output_tokens,
                },
                "metrics": {"latencyMs": round(latency)},
            }
        )

    async def invoke(self, request: Request) -> Response:
        """An embedding. Quotas are per model: those of the chat models do not touch it."""
        model = request.path_params["model"]
        if "embed" not in model:
            return _error(
                400, "ValidationException", f"only embeddings are invoked here, not {model}"
            )
        try:
            text = str(json.loads(await request.body())["inputText"])
        except (ValueError, KeyError, TypeError) as wrong:
            return _error(400, "ValidationException", f"Malformed input request: {wrong!r}")
        await asyncio.sleep(LATENCY_MS / 1000)
        return _ok({"embedding": embed(text), "inputTextTokenCount": tokens(text)})

    async def quota(self, request: Request) -> Response:
        """GET: the quota and what came of it. POST: replace it; fields left out are unlimited."""
        if request.method == "POST":
            try:
                self._gate.quota = QUOTAS.validate_json(await request.body())
            except ValidationError as wrong:
                return JSONResponse({"error": str(wrong)}, status_code=400)
        gate = self._gate
        return JSONResponse(
            {
                "quota": QUOTAS.dump_python(gate.quota),
                "in_flight": gate.in_flight,
                "most_in_flight": gate.most_in_flight,
                "served": gate.served,
                "refused": gate.refused,
            }
        )


def _ok(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers={"x-amzn-requestid": str(uuid.uuid4())})


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse(
        {"message": message},
        status_code=status,
        headers={"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-errortype": kind},
    )
