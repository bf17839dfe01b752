"""Requests wait inside the service while all workers are busy, and the root span shows it."""

from __future__ import annotations

import asyncio
import threading

from chatbot.app.bedrock import Answer
from chatbot.app.index import LocalIndex
from tests.chatbot.conftest import Chatbot


class Held:
    """A model that answers only when it is let to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.let = threading.Event()

    def embed(self, _: str) -> list[float]:
        """Never called: the questions want no context."""
        raise AssertionError

    def converse(self, _system: str, _prompt: str) -> Answer:
        """Wait, then answer."""
        self.asked.set()
        assert self.let.wait(20)
        return Answer("Yes.", 1, 1, "end_turn")


def test_a_root_span_starts_at_arrival_and_its_work_when_a_worker_is_free() -> None:
    """With one worker the second request's span covers the first one's work."""
    model = Held()
    chatbot = Chatbot(None, LocalIndex([]), model=model, workers=1)
    body = {"message": "Is it full?", "includeContext": False}

    async def seen(count: int) -> None:
        while (await chatbot.send("GET", "/api/health")).json()["requests"] < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # the service tells by its answer only

    async def both() -> None:
        first = asyncio.create_task(chatbot.send("POST", "/api/chat", json=body))
        assert await asyncio.to_thread(model.asked.wait, 20)
        second = asyncio.create_task(chatbot.send("POST", "/api/chat", json=body))
        await seen(2)
        model.let.set()
        await asyncio.gather(first, second)

    asyncio.run(both())
    early, late = [span for span in chatbot.spans if span.name == "POST"]
    work = [span for span in chatbot.spans if span.name == "rag.generate_response"]
    assert late.start_time is not None
    assert early.end_time is not None
    assert late.start_time < early.end_time
    assert (work[0].end_time or 0) <= (work[1].start_time or 0)
    waited = [float(str((root.attributes or {})["app.queue_ms"])) for root in (early, late)]
    assert waited[0] < waited[1]
