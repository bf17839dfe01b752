"""The load balancer: one port in front of the healthy tasks of a service.

Round robin per request, as an Application Load Balancer does it: a client's kept-alive
connection is no tie to a task, and a task that drains gets no new request but finishes its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import httpx

_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
# Seconds; 60 without a byte from the target is an ALB's default, and 504.
_LIMITS = httpx.Timeout(60, connect=5, pool=None).as_dict()
# Shorter than the 5 s after which uvicorn closes an idle connection: no request goes into one
# that is being closed.
_KEPT = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=2)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass
class Target:
    """One task's port and how many requests it is at."""

    port: int
    in_flight: int = 0


class Balancer:
    """The ASGI app on the service's port."""

    def __init__(self) -> None:
        self._targets: list[Target] = []
        self._turn = 0
        self._client = httpx.AsyncClient(limits=_KEPT, trust_env=False)

    def add(self, target: Target) -> None:
        """Route requests to it from now on."""
        self._targets.append(target)

    def remove(self, target: Target) -> None:
        """Route no new request to it."""
        if target in self._targets:
            self._targets.remove(target)

    async def close(self) -> None:
        """Drop the connections to targets."""
        await self._client.aclose()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request with what a healthy target answers."""
        if scope["type"] != "http":
            return
        body = await _body(receive)
        forwarding = asyncio.create_task(self._forward(scope, body, send))
        leaving = asyncio.create_task(_left(receive))
        await asyncio.wait({forwarding, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not forwarding.done():  # the client went away: so does our request to the target
            forwarding.cancel()
        await asyncio.gather(forwarding, leaving, return_exceptions=True)

    async def _forward(self, scope: Message, body: bytes, send: Send) -> None:
        tried: set[int] = set()
        while (target := self._next(tried)) is not None:
            target.in_flight += 1
            try:
                await self._pass(scope, body, send, target)
            except httpx.ConnectError:  # nothing was sent: another target may have it
                tried.add(target.port)
                continue
            finally:
                target.in_flight -= 1
            return
        await _answer(send, 503)

    def _next(self, tried: set[int]) -> Target | None:
        candidates = [target for target in self._targets if target.port not in tried]
        if not candidates:
            return None
        self._turn += 1
        return candidates[self._turn % len(candidates)]

    async def _pass(self, scope: Message, body: bytes, send: Send, target: Target) -> None:
        path = scope.get("raw_path") or scope["path"].encode()
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        headers = [(k, v) for k, v in scope["headers"] if k.lower() not in _HOP_BY_HOP]
        headers.append((b"x-forwarded-for", (scope.get("client") or ("127.0.0.1",))[0].encode()))
        url = httpx.URL(f"http://127.0.0.1:{target.port}").copy_with(raw_path=path + query)
        # Not build_request: the client's own default headers are none of the target's business.
        request = httpx.Request(
            scope["method"], url, headers=headers, content=body, extensions={"timeout": _LIMITS}
        )
        begun = False
        try:
            response = await self._client.send(request, stream=True)
            try:
                await send(_start(response))
                begun = True
                async for chunk in _raw(response):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            finally:
                await response.aclose()
        except httpx.ConnectError:
            raise
        except httpx.TimeoutException:
            if begun:
                raise
            await _answer(send, 504)
        except httpx.TransportError:
            if begun:
                raise
            await _answer(send, 502)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _raw(response: httpx.Response) -> AsyncIterator[bytes]:
    async for chunk in response.aiter_raw():
        if chunk:
            yield chunk


def _start(response: httpx.Response) -> Message:
    headers = [(k, v) for k, v in response.headers.raw if k.lower() not in _HOP_BY_HOP]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


async def _answer(send: Send, status: int) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"text/plain"), (b"server", b"awselb/2.0")],
        }
    )
    await send({"type": "http.response.body", "body": b""})
