"""The model provider: embeddings and chat through Bedrock's ordinary client."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import Span, SpanKind
from opentelemetry.util.types import AttributeValue

from .settings import EMBEDDING_MODEL, Settings
from .telemetry import Telemetry

ATTEMPTS = 3
CONNECT_TIMEOUT = 3


@dataclass(frozen=True)
class Answer:
    """What a model said, and what it counted."""

    text: str
    input_tokens: int
    output_tokens: int
    stop_reason: str


def client(settings: Settings, connections: int) -> Any:
    """A bedrock-runtime client; AWS_ENDPOINT_URL_BEDROCK_RUNTIME may point it elsewhere."""
    import boto3  # noqa: PLC0415  (half a second that tests without it need not wait)
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(
        "bedrock-runtime",
        region_name=settings.region,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=settings.read_timeout,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=connections,
        ),
    )


def invoke(runtime: Any, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The embedding model's call without a span: the raw answer, and its body."""
    told = runtime.invoke_model(modelId=EMBEDDING_MODEL, body=json.dumps({"inputText": text}))
    return told, json.loads(told["body"].read())


class Bedrock:
    """Calls models and makes a client span of each call."""

    def __init__(self, runtime: Any, settings: Settings, telemetry: Telemetry) -> None:
        self._runtime = runtime
        self._settings = settings
        self._telemetry = telemetry

    def embed(self, text: str) -> list[float]:
        """The text's vector by the embedding model."""
        attributes = {**self._call("InvokeModel"), "gen_ai.request.model": EMBEDDING_MODEL}
        with self._calling("BedrockRuntime.InvokeModel", attributes) as span:
            told, answer = invoke(self._runtime, text)
            _answered(span, told)
            span.set_attribute("gen_ai.usage.input_tokens", answer["inputTextTokenCount"])
        vector: list[float] = answer["embedding"]
        return vector

    def converse(self, system: str, prompt: str) -> Answer:
        """The model's answer to one user message."""
        settings = self._settings
        attributes: dict[str, AttributeValue] = {
            **self._call("Converse"),
            "gen_ai.system": "aws.bedrock",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": settings.model,
            "gen_ai.request.max_tokens": settings.max_tokens,
            "gen_ai.request.temperature": settings.temperature,
        }
        with self._calling(f"chat {settings.model}", attributes) as span:
            told = self._runtime.converse(
                modelId=settings.model,
                system=[{"text": system}],
                messages=[{"role": "user", "content": [{"text": prompt}]}],
                inferenceConfig={
                    "maxTokens": settings.max_tokens,
                    "temperature": settings.temperature,
                },
            )
            _answered(span, told)
            answer = Answer(
                text="".join(part["text"] for part in told["output"]["message"]["content"]),
                input_tokens=told["usage"]["inputTokens"],
                output_tokens=told["usage"]["outputTokens"],
                stop_reason=told["stopReason"],
            )
            span.set_attribute("gen_ai.usage.input_tokens", answer.input_tokens)
            span.set_attribute("gen_ai.usage.output_tokens", answer.output_tokens)
            span.set_attribute("gen_ai.response.finish_reasons", [answer.stop_reason])
        return answer

    @contextmanager
    def _calling(self, name: str, attributes: Mapping[str, AttributeValue]) -> Iterator[Span]:
        with self._telemetry.span(name, attributes, kind=SpanKind.CLIENT) as span:
            try:
                yield span
            except Exception as failure:
                # botocore's ClientError holds what was answered; a timeout holds nothing.
                _answered(span, getattr(failure, "response", {}))
                raise

    def _call(self, method: str) -> dict[str, str]:
        return {
            "rpc.system": "aws-api",
            "rpc.service": "BedrockRuntime",
            "rpc.method": method,
            "cloud.region": self._settings.region,
        }


def _answered(span: Span, told: Mapping[str, Any]) -> None:
    metadata = told.get("ResponseMetadata")
    if metadata:
        span.set_attribute("http.status_code", metadata["HTTPStatusCode"])
        span.set_attribute("aws.request_id", metadata.get("RequestId", ""))
        span.set_attribute("aws.retry_attempts", metadata.get("RetryAttempts", 0))
