"""What the chatbot's environment says; the names are those of the workshop's container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
EMBEDDING_MODEL = "amazon.titan-embed-text-v1"


@dataclass(frozen=True)
class Settings:
    """The levers of the service, read once at its start."""

    port: int = 3001
    region: str = "us-east-1"
    model: str = DEFAULT_MODEL
    max_tokens: int = 1000
    temperature: float = 0.7
    max_context_docs: int = 5  # where a request does not say
    read_timeout: float = 10.0  # seconds a model may stay silent; the source workshop set none
    index: str = "opensearch"  # or "local": the corpus in this process
    opensearch_endpoint: str = ""
    opensearch_index: str = "rag-documents"
    opensearch_username: str = ""
    opensearch_password: str = ""
    candidates_per_document: int = 12  # how many neighbours are reranked for each one wanted
    workers: int | None = None  # None: by the task's CPU
    service: str = "otel-ai-chatbot-backend"

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Settings:
        """The settings an environment asks for; what it does not name keeps its default."""
        return cls(
            port=int(env.get("PORT", cls.port)),
            region=env.get("AWS_REGION", cls.region),
            model=env.get("BEDROCK_MODEL", cls.model),
            max_tokens=int(env.get("MAX_TOKENS", cls.max_tokens)),
            temperature=float(env.get("TEMPERATURE", cls.temperature)),
            max_context_docs=int(env.get("MAX_CONTEXT_DOCS", cls.max_context_docs)),
            read_timeout=float(env.get("BEDROCK_READ_TIMEOUT", cls.read_timeout)),
            index=env.get("RAG_INDEX", cls.index),
            opensearch_endpoint=env.get("OPENSEARCH_ENDPOINT", ""),
            opensearch_index=env.get("OPENSEARCH_INDEX", cls.opensearch_index),
            opensearch_username=env.get("OPENSEARCH_USERNAME", ""),
            opensearch_password=env.get("OPENSEARCH_PASSWORD", ""),
            candidates_per_document=int(
                env.get("RAG_CANDIDATES_PER_DOCUMENT", cls.candidates_per_document)
            ),
            workers=int(env["WORKERS"]) if env.get("WORKERS") else None,
            service=env.get("OTEL_SERVICE_NAME", cls.service),
        )
