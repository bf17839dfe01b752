"""The service as a process: it serves, exports its spans, and ends as a container must."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.fakes.http_server import serving

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


class Collector:
    """Takes OTLP over HTTP, and remembers the spans' names by revision."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Read one export."""
        assert request.url.path == "/v1/traces"
        export = ExportTraceServiceRequest.FromString(request.content)
        for part in export.resource_spans:
            told = {pair.key: pair.value.string_value for pair in part.resource.attributes}
            for scope in part.scope_spans:
                self.seen |= {(told["aws.ecs.task.revision"], span.name) for span in scope.spans}
        return httpx.Response(200)


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def collector() -> Collector:
    """Where the spans go."""
    return Collector()


@pytest.fixture
def running(
    bedrock_url: str, collector: Collector
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a chatbot, and its process."""
    port = _port()
    with serving(collector) as otlp:
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PORT": str(port),
            "HOST": "127.0.0.1",
            "RAG_INDEX": "local",
            "TASK_REVISION": "42",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock_url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        }
        process = subprocess.Popen([sys.executable, "-m", "chatbot.app"], cwd=ROOT, env=env)
        try:
            yield _healthy(f"http://127.0.0.1:{port}", process), process
        finally:
            process.kill()
            process.wait()


def _healthy(url: str, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, "it ended instead of serving"
        try:
            if httpx.get(f"{url}/api/health").is_success:
                return url
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"no health within {PATIENCE:.0f} s")


def test_a_stopped_task_finishes_what_it_has_begun(
    running: tuple[str, subprocess.Popen[bytes]], collector: Collector, bedrock_url: str
) -> None:
    """After SIGTERM the chat under way is answered, its spans arrive, and the process ends."""
    url, process = running
    quota = f"{bedrock_url}/_sandbox/quota"
    httpx.post(quota, json={"latency_factor": 5}).raise_for_status()
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(httpx.post(f"{url}/api/chat", json={"message": "Bye?"}, timeout=PATIENCE))

    asking = threading.Thread(target=ask)
    asking.start()
    while not httpx.get(quota).json()["in_flight"]:
        time.sleep(0.01)
    httpx.post(quota, json={}).raise_for_status()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    asking.join(PATIENCE)
    assert [answer.status_code for answer in answers] == [200]
    assert {("42", "POST"), ("42", "rag.generate_response")} <= collector.seen
