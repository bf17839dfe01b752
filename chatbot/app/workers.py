"""The pool that requests are worked on in; what does not fit waits inside the service."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from opentelemetry import trace

Result = TypeVar("Result")


class Workers:
    """As many threads as the task's size allows."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="worker")

    async def run(self, work: Callable[[], Result]) -> Result:
        """Its result; the current span is told how long the work had to wait for a thread."""
        root = trace.get_current_span()
        arrived = time.perf_counter()

        def begin() -> Result:
            root.set_attribute("app.queue_ms", (time.perf_counter() - arrived) * 1000)
            return work()

        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: context.run(begin))

    def shutdown(self) -> None:
        """Let go of the threads; nothing new is begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)
