"""A stand-in with a clock that is set by hand, a client with a key, and a webhook receiver."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from sandbox.honeycomb.app import create_app
from sandbox.honeycomb.events import Event
from sandbox.honeycomb.standin import StandIn

NOW = 1_790_000_040.0  # a whole minute: 1_790_000_040 = 60 * 29833334
DATASET = "shop"
# Reading every certificate of the machine takes longer than most tests; nothing here is HTTPS.
HTTP = httpx.AsyncClient(verify=False)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = NOW

    def __call__(self) -> float:
        """Now."""
        return self.now


@dataclass
class Api:
    """A client of the stand-in, and short ways to do what tests do often."""

    client: httpx.Client
    standin: StandIn
    clock: Clock

    def send(self, *fields: dict[str, Any], dataset: str = DATASET, ago: float = 120) -> None:
        """Put events straight into the store."""
        at = int((self.clock.now - ago) * 1e9)
        self.standin.events.append([Event(dataset, at, 1, one) for one in fields])

    def query(self, spec: dict[str, Any], dataset: str = DATASET) -> Any:
        """The answer to creating a query."""
        return self.client.post(f"/1/queries/{dataset}", json=spec)

    def result(self, spec: dict[str, Any], dataset: str = DATASET, **flags: Any) -> dict[str, Any]:
        """The complete result of a query."""
        created = self.query(spec, dataset)
        assert created.status_code == 200, created.text
        body = {"query_id": created.json()["id"], "disable_series": True, **flags}
        started = self.client.post(f"/1/query_results/{dataset}", json=body)
        assert started.status_code == 201, started.text
        self.clock.now += 7  # under ten a minute
        for _ in range(500):
            got = self.client.get(f"/1/query_results/{dataset}/{started.json()['id']}").json()
            if got["complete"]:
                return dict(got)
            time.sleep(0.005)
        raise AssertionError("the query never completed")

    def rows(self, spec: dict[str, Any], dataset: str = DATASET) -> list[dict[str, Any]]:
        """The rows of a query over everything sent."""
        spec = {"time_range": 3600, **spec}
        return [row["data"] for row in self.result(spec, dataset)["data"]["results"]]


@pytest.fixture
def clock() -> Clock:
    """The clock of a test."""
    return Clock()


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """A real server on a free port; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[Starlette, str]]:
    """One server for all tests; each puts a stand-in of its own behind it."""
    app = create_app(StandIn("http://127.0.0.1"), watch=False)
    assert isinstance(app, Starlette)
    with serving(app) as url:
        yield app, url


@contextlib.contextmanager
def behind(server: tuple[Starlette, str], standin: StandIn, clock: Clock) -> Iterator[Api]:
    """The server with this stand-in behind it, and a client with a configuration key."""
    app, url = server
    app.state.standin = standin
    headers = {"X-Honeycomb-Team": "hcxlk_test"}
    with httpx.Client(base_url=url, headers=headers, verify=False) as client:
        yield Api(client, standin, clock)


@pytest.fixture
def api(clock: Clock, server: tuple[Starlette, str]) -> Iterator[Api]:
    """An empty stand-in."""
    standin = StandIn(server[1], clock=clock, http=HTTP)
    with behind(server, standin, clock) as running:
        yield running
    standin.events.close()
    standin.database.close()


@pytest.fixture(scope="module")
def shared(server: tuple[Starlette, str]) -> Iterator[tuple[StandIn, Clock]]:
    """A stand-in for all tests of a module that only read."""
    clock = Clock()
    standin = StandIn(server[1], clock=clock, http=HTTP)
    yield standin, clock
    standin.events.close()
    standin.database.close()


@dataclass
class Receiver:
    """A webhook receiver: what came, and what it answers (200 when nothing is queued)."""

    url: str = ""
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver on a free port."""
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            state.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            status, headers = state.answers.pop(0) if state.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield state
    server.shutdown()
    server.server_close()
