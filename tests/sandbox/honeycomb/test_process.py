"""The stand-in as a process: its command line, its seed, clients nobody here wrote."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.sandbox.honeycomb.conftest import Receiver

REPOSITORY = Path(__file__).parents[3]
KEY = {"X-Honeycomb-Team": "hcxlk_test"}
SEED: dict[str, Any] = {
    "revoked_keys": ["revoked"],
    "derived_columns": [
        {"dataset": "shop", "alias": "sli.fast", "expression": "LTE($duration_ms, 100)"}
    ],
    "recipients": [
        {
            "id": "backburn",
            "type": "webhook",
            "details": {
                "webhook_name": "backburn",
                "webhook_payloads": {
                    "payload_templates": {"budget_rate": {"body_file": "payload.tmpl"}}
                },
            },
        }
    ],
    "slos": [
        {
            "id": "fast",
            "dataset": "shop",
            "name": "Fast",
            "sli": {"alias": "sli.fast"},
            "time_period_days": 30,
            "target_per_million": 900_000,
        }
    ],
    "burn_alerts": [
        {
            "id": "burn",
            "alert_type": "budget_rate",
            "budget_rate_window_minutes": 2,
            "budget_rate_decrease_threshold_per_million": 500_000,
            "slo": {"id": "fast"},
            "recipients": [{"id": "backburn"}],
        }
    ],
}
Start = Callable[..., str]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts stand-ins; those still running are ended."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> str:
        for process in running:
            process.terminate()
            process.wait(5)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "sandbox.honeycomb", "--port", str(port), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        running.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line == f"ready http://127.0.0.1:{port}\n"
        return line.split()[1]

    yield begin
    for process in running:
        process.terminate()
        process.wait(5)
        if process.stdout:
            process.stdout.close()


def export(url: str, milliseconds: list[int]) -> None:
    """Send spans with OpenTelemetry's own exporter, as an application does."""
    exporter = OTLPSpanExporter(
        endpoint=f"{url}/v1/traces",
        headers={"x-honeycomb-team": "hcxik_ingest"},
        compression=Compression.Gzip,
    )
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    now = time.time_ns()
    for duration in milliseconds:
        began = now - 5_000_000_000
        tracer.start_span("get", start_time=began).end(began + duration * 1_000_000)
    provider.shutdown()


def counted(url: str) -> list[Any]:
    """COUNT and MAX(duration_ms) of everything, by three calls of the Query Data API."""
    spec = {
        "calculations": [{"op": "COUNT"}, {"op": "MAX", "column": "duration_ms"}],
        "end_time": int(time.time()) // 60 * 60 + 60,
        "time_range": 600,
    }
    with httpx.Client(base_url=url, headers=KEY) as client:
        query = client.post("/1/queries/shop", json=spec).json()
        asked = {"query_id": query["id"], "disable_series": True}
        result = client.post("/1/query_results/shop", json=asked).json()
        while not result["complete"]:
            time.sleep(0.05)
            result = client.get(f"/1/query_results/shop/{result['id']}").json()
    return [list(row["data"].values()) for row in result["data"]["results"]]


def test_a_restart_with_a_file_keeps_the_data(start: Start, tmp_path: Path) -> None:
    """Events, and what was made over the API."""
    file = str(tmp_path / "events.duckdb")
    url = start("--db", file)
    export(url, [10, 20, 30])
    body = {"alias": "slow", "expression": "GT($duration_ms, 15)"}
    httpx.post(f"{url}/1/derived_columns/shop", json=body, headers=KEY)
    assert counted(url) == [[3, 30.0]]
    url = start("--db", file)
    assert counted(url) == [[3, 30.0]]
    derived = httpx.get(f"{url}/1/derived_columns/shop", headers=KEY).json()
    assert [one["alias"] for one in derived] == ["slow"]
    export(url, [40])
    assert counted(url) == [[4, 40.0]]


def test_a_seeded_stand_in_fires_by_itself(
    start: Start, tmp_path: Path, receiver: Receiver
) -> None:
    """From slow spans of a real exporter to the webhook, with the ids of the seed."""
    seed = json.loads(json.dumps(SEED))
    seed["recipients"][0]["details"]["webhook_url"] = receiver.url
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(seed))
    (tmp_path / "payload.tmpl").write_text('{"status": "{{ .Alert.Status }}", "id": "{{ .ID }}"}')
    url = start("--relax-burn-windows", "--evaluate-every", "1", "--seed", str(file))
    assert httpx.get(f"{url}/1/auth", headers=KEY).headers["x-sandbox-relaxed"]
    assert httpx.get(f"{url}/1/auth", headers={"X-Honeycomb-Team": "revoked"}).status_code == 401
    export(url, [10, 20, 500])
    deadline = time.monotonic() + 20
    while not receiver.got and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [json.loads(body) for _, body in receiver.got] == [{"status": "TRIGGERED", "id": "burn"}]


def test_a_window_of_minutes_is_refused_without_the_flag(tmp_path: Path) -> None:
    """The seed is held to the same limits as the API."""
    (tmp_path / "seed.json").write_text(
        json.dumps({**SEED, "recipients": [], "burn_alerts": SEED["burn_alerts"]})
    )
    command = [sys.executable, "-m", "sandbox.honeycomb", "--port", "1"]
    ended = subprocess.run(
        [*command, "--seed", str(tmp_path / "seed.json")],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=False,
    )
    assert ended.returncode != 0
    assert "budget_rate_window_minutes: must be between 60" in ended.stderr
