"""Traffic at a fixed arrival rate, whatever the service makes of it.

`python -m chatbot.load --url URL --rate R` shows what it sees, line by line. The loop is open:
arrivals do not wait for answers, so a slow service gets no relief, as with real users. Only those
that come while `max_in_flight` are waiting give up at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import random
import threading
import time
from collections import Counter, deque
from dataclasses import asdict
from pathlib import Path
from typing import Self

import httpx

from chatbot.latency import Figures, Seen, bad, chats, percentile
from chatbot.traffic import Call, call

WINDOW_SECONDS = 15.0
TICK_SECONDS = 0.05  # how late a new rate may come into force
KEPT = 100_000


class Load:
    """A generator in a thread of its own; safe to steer from any other."""

    def __init__(
        self,
        url: str,
        rate: float,
        *,
        max_in_flight: int = 64,
        timeout: float = 10,
        even: bool = False,
        seed: int = 1,
    ) -> None:
        self._url = url.rstrip("/")
        self._rate = rate
        self._max_in_flight = max_in_flight
        self._timeout = timeout
        self._even = even
        self._chance = random.Random(seed)
        self._in_flight = 0
        self._counts: Counter[str] = Counter()
        self._seen: deque[Seen] = deque(maxlen=KEPT)
        self._began = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin; requests arrive from now on."""
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """No more arrivals; those under way are abandoned."""
        self._stopped.set()
        self._thread.join(self._timeout)

    def set_rate(self, rate: float) -> None:
        """Arrivals a second from now on, all routes together."""
        self._rate = rate

    def set_max_in_flight(self, count: int) -> None:
        """How many may wait at once from now on."""
        self._max_in_flight = count

    def seen(self, since: float = 0.0) -> list[Seen]:
        """Every request that ended after that moment of `time.monotonic()`, oldest first."""
        return [one for one in tuple(self._seen) if one.ended >= since]

    def figures(self, seconds: float = WINDOW_SECONDS) -> Figures:
        """What went on in the last seconds."""
        now = time.monotonic()
        seconds = min(seconds, max(now - self._began, TICK_SECONDS))
        recent = self.seen(now - seconds)
        asked = chats(recent)
        times = [one.milliseconds for one in asked]
        return Figures(
            rate=self._rate,
            in_flight=self._in_flight,
            arrived=self._counts["arrived"],
            given_up=self._counts["given up"],
            answered_per_second=len(recent) / seconds,
            p50=percentile(times, 0.50),
            p95=percentile(times, 0.95),
            p99=percentile(times, 0.99),
            errors=sum(one.status != httpx.codes.OK for one in recent),
            chats=len(asked),
            bad=sum(map(bad, asked)),
        )

    def _run(self) -> None:
        asyncio.run(self._arrive())

    async def _arrive(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=32)
        tasks: set[asyncio.Task[None]] = set()
        async with httpx.AsyncClient(
            base_url=self._url, timeout=self._timeout, limits=limits
        ) as client:
            # Arrivals are counted on a clock that runs at the rate, so that a late wake-up is made
            # up for and a new rate applies at once.
            due, then = self._gap(), time.monotonic()
            while not self._stopped.is_set():
                now = time.monotonic()
                due -= (now - then) * self._rate
                then = now
                while due <= 0:
                    due += self._gap()
                    self._admit(client, tasks)
                await asyncio.sleep(min(TICK_SECONDS, due / max(self._rate, 0.001)))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _gap(self) -> float:
        """How much of the rate's clock passes until the next arrival."""
        return 1.0 if self._even else self._chance.expovariate(1.0)

    def _admit(self, client: httpx.AsyncClient, tasks: set[asyncio.Task[None]]) -> None:
        self._counts["arrived"] += 1
        if self._in_flight >= self._max_in_flight:
            self._counts["given up"] += 1
            return
        self._in_flight += 1
        asked = call(self._counts["arrived"], self._chance.random())
        task = asyncio.get_running_loop().create_task(self._ask(client, asked))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _ask(self, client: httpx.AsyncClient, asked: Call) -> None:
        begun, status = time.monotonic(), 0
        try:
            async with asyncio.timeout(self._timeout):
                status = (
                    await client.request(asked.method, asked.path, json=asked.body)
                ).status_code
        except (httpx.HTTPError, TimeoutError):
            status = 0
        finally:
            self._in_flight -= 1
            ended = time.monotonic()
        self._seen.append(Seen(asked.route, ended, (ended - begun) * 1000, status))


def main() -> None:
    """Ask until Ctrl-C, or for the seconds given; a line of figures each second."""
    parser = argparse.ArgumentParser(prog="python -m chatbot.load", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--rate", type=float, required=True, help="arrivals a second")
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--max-in-flight", type=int, default=64)
    parser.add_argument("--timeout", type=float, default=10)
    parser.add_argument("--even", action="store_true", help="equal gaps, not Poisson's")
    parser.add_argument("--json", type=Path, help="where the figures of the whole run go")
    asked = parser.parse_args()
    load = Load(
        asked.url,
        asked.rate,
        max_in_flight=asked.max_in_flight,
        timeout=asked.timeout,
        even=asked.even,
    )
    begun = time.monotonic()
    with load, contextlib.suppress(KeyboardInterrupt):
        while (passed := time.monotonic() - begun) < asked.seconds:
            time.sleep(min(1.0, asked.seconds - passed))
            print(load.figures().line(), flush=True)
    if asked.json:
        whole = load.figures(time.monotonic() - begun)
        asked.json.write_text(json.dumps(asdict(whole), indent=1) + "\n")


if __name__ == "__main__":
    main()
