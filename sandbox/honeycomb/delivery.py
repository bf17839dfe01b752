"""Delivering webhooks: ten seconds for an answer, a few retries, and a log."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic, time
from typing import Any

import httpx

from .burn import Firing
from .objects import Object, Objects
from .pipeline import TemplateError
from .recipient import headers, payload

TIMEOUT = 10.0
BACKOFF = (1.0, 4.0, 10.0)  # three retries; Honeycomb publishes no numbers
# What Honeycomb documents as safe to repeat. A 500, or no answer in time, is lost for good.
RETRIED = frozenset({408, 502})
RETRIED_WITH_RETRY_AFTER = frozenset({429, 503})


class Deliveries:
    """Sends a firing to its recipients and remembers every attempt."""

    def __init__(
        self,
        objects: Objects,
        pages: str,
        client: httpx.AsyncClient,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._objects, self._pages, self._client, self._sleep = objects, pages, client, sleep

    def prepare(self, firing: Firing) -> list[Object]:
        """One delivery for each recipient of the alert, logged, not yet sent."""
        prepared = []
        for reference in firing.alert["recipients"]:
            recipient = self._objects.get("recipient", reference["id"])
            if recipient:
                prepared.append(self._log(firing, recipient, reference.get("details")))
        return prepared

    def _log(self, firing: Firing, recipient: Object, overrides: Object | None) -> Object:
        delivery: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "at": firing.at,
            "recipient": recipient["id"],
            "url": recipient["details"]["webhook_url"],
            "alert": firing.alert["id"],
            "slo": firing.slo["id"],
            "instance": firing.instance,
            "status": firing.status,
            "is_test": firing.test,
            "outcome": "pending",
            "attempts": [],
            "body": "",
        }
        try:
            delivery["body"] = payload(firing, recipient, overrides, self._pages)
        except TemplateError as error:
            delivery |= {"outcome": "failed", "attempts": [_attempt(error=str(error))]}
        return self._objects.put("delivery", delivery)

    async def send(self, delivery: Object, pauses: Sequence[float] = BACKOFF) -> Object:
        """Send it until it is taken, refused for good, or tried once more than there are pauses."""
        recipient = self._objects.get("recipient", delivery["recipient"])
        if recipient is None or delivery["outcome"] != "pending":
            return delivery
        for pause in (*pauses, None):
            attempt, outcome = await self._try(delivery, recipient)
            again = outcome == "again" and pause is not None
            delivery = self._objects.put(
                "delivery",
                delivery
                | {
                    "attempts": [*delivery["attempts"], attempt],
                    "outcome": "pending" if again else outcome.replace("again", "failed"),
                },
            )
            if not again or pause is None:
                break
            await self._sleep(pause)
        return delivery

    async def _try(self, delivery: Object, recipient: Object) -> tuple[Object, str]:
        started = monotonic()
        try:
            answer = await self._client.post(
                delivery["url"],
                content=delivery["body"],
                headers=headers(recipient, delivery["id"]),
                timeout=TIMEOUT,
            )
        except httpx.TimeoutException as error:
            # Connecting in vain may be repeated; a slow receiver may already have acted.
            again = isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout))
            return _attempt(started, error="no answer in time"), "again" if again else "failed"
        except httpx.TransportError as error:
            return _attempt(started, error=str(error) or type(error).__name__), "again"
        attempt = _attempt(started, status=answer.status_code, answer=answer.text[:500])
        if answer.is_success:
            return attempt, "delivered"
        asked = "retry-after" in answer.headers
        again = answer.status_code in RETRIED or (
            asked and answer.status_code in RETRIED_WITH_RETRY_AFTER
        )
        return attempt, "again" if again else "failed"


def _attempt(started: float | None = None, **told: Any) -> Object:
    took = 0 if started is None else round((monotonic() - started) * 1000)
    return {"at": time(), "milliseconds": took, **told}
