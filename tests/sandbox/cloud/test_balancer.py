"""The load balancer passes requests on as they are and answers for targets that cannot."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from sandbox.fargate.balancer import Balancer, Target
from tests.sandbox.cloud.world import free_port


class Echo(BaseHTTPRequestHandler):
    """Says what arrived, or hangs up."""

    def do_POST(self) -> None:
        """Answer every POST."""
        if self.path == "/die":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        length = int(self.headers.get("Content-Length", 0))
        told = {
            "port": self.server.server_address[1],
            "path": self.path,
            "body": self.rfile.read(length).decode(),
            "headers": {key.lower(): value for key, value in self.headers.items()},
        }
        body = json.dumps(told).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def echoes(count: int) -> Iterator[list[int]]:
    """Ports of so many targets."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Echo) for _ in range(count)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [server.server_port for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@asynccontextmanager
async def through(*ports: int) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose requests go through a balancer to these ports."""
    balancer = Balancer()
    for port in ports:
        balancer.add(Target(port))
    transport = httpx.ASGITransport(app=balancer)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        yield client
    await balancer.close()


def test_a_request_arrives_as_it_was_sent() -> None:
    """Path, query, body and headers are the client's; only the forwarding header is new."""

    async def scene() -> httpx.Response:
        with echoes(1) as ports:
            async with through(*ports) as client:
                del client.headers["accept-encoding"]
                return await client.post("/a%2Fb?q=1&q=2", content=b"hello", headers={"x-one": "1"})

    response = asyncio.run(scene())
    told = response.json()
    assert (response.status_code, told["path"], told["body"]) == (201, "/a%2Fb?q=1&q=2", "hello")
    assert told["headers"]["host"] == "app"
    assert told["headers"]["x-one"] == "1"
    assert told["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert "accept-encoding" not in told["headers"]


def test_targets_take_turns() -> None:
    """Round robin, request by request."""

    async def scene() -> list[int]:
        with echoes(2) as ports:
            async with through(*ports) as client:
                return [(await client.post("/")).json()["port"] for _ in range(4)]

    answered = asyncio.run(scene())
    assert answered[:2] == answered[2:]
    assert len(set(answered)) == 2


def test_a_target_that_is_not_there_is_passed_over() -> None:
    """Nothing was sent to it, so another may have the request."""

    async def scene() -> list[int]:
        with echoes(1) as ports:
            async with through(free_port(), *ports) as client:
                return [(await client.post("/")).status_code for _ in range(3)]

    assert asyncio.run(scene()) == [201, 201, 201]


def test_a_target_that_hangs_up_is_a_bad_gateway() -> None:
    """A request that may have been worked on is not sent twice."""

    async def scene() -> int:
        with echoes(2) as ports:
            async with through(*ports) as client:
                return (await client.post("/die")).status_code

    assert asyncio.run(scene()) == 502


def test_without_targets_the_service_is_unavailable() -> None:
    """As an Application Load Balancer answers."""

    async def scene() -> int:
        async with through() as client:
            return (await client.post("/")).status_code

    assert asyncio.run(scene()) == 503
