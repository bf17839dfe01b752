"""Spans: how they are made, where errors are recorded, how they leave the process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from .settings import Settings
from .task import Task

RECORDED = "_recorded_on_a_span"
LONGEST_MESSAGE = 500


DEFAULTS = Resource(
    {
        "service.version": "1.0.0",
        "service.type": "backend",
        "service.component": "ai-chatbot",
        "deployment.environment.name": "dev",
        "cloud.provider": "aws",
        "cloud.platform": "aws_ecs",
    }
)


def resource(settings: Settings, task: Task) -> Resource:
    """What every span carries: defaults, then OTEL_RESOURCE_ATTRIBUTES, then the task itself."""
    return DEFAULTS.merge(
        Resource.create(
            {
                "service.name": settings.service,
                "aws.ecs.task.family": task.family,
                "aws.ecs.task.revision": task.revision,
            }
        )
    )


class Telemetry:
    """Makes the spans of the service."""

    def __init__(self, settings: Settings, task: Task, processor: SpanProcessor) -> None:
        # The process decides when to flush: its lifespan does, before it lets go of the port.
        self._provider = TracerProvider(resource=resource(settings, task), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self.tracer = self._provider.get_tracer("chatbot")

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Mapping[str, AttributeValue] | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Iterator[Span]:
        """A child of the current span; an exception marks it as failed and goes on."""
        with self.tracer.start_as_current_span(
            name,
            kind=kind,
            attributes=dict(attributes or {}),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except Exception as failure:
                fail(span, failure)
                raise

    def flush(self, seconds: float) -> None:
        """Hand over what is buffered, or give up after that long."""
        self._provider.force_flush(int(seconds * 1000))

    def shutdown(self) -> None:
        """Stop exporting."""
        self._provider.shutdown()


def fail(span: Span, failure: Exception) -> None:
    """Mark the span as failed; only the innermost one, where it happened, gets the exception."""
    span.set_status(Status(StatusCode.ERROR, str(failure)[:LONGEST_MESSAGE]))
    if not hasattr(failure, RECORDED):
        setattr(failure, RECORDED, True)
        span.set_attribute("error.type", type(failure).__name__)
        span.record_exception(failure)
