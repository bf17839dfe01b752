"""The stand-in as one object: its data, its clock, its limits and what runs beside requests."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import traceback
import uuid
from collections.abc import Callable, Coroutine
from time import time
from typing import Any

import duckdb
import httpx

from . import burn
from .delivery import Deliveries
from .errors import ApiError
from .events import Events
from .keys import DEFAULT_PER_MINUTE, QUERY_RESULTS_PER_MINUTE, RateLimit
from .objects import Object, Objects
from .query import parse_query
from .run import Run, execute
from .scope import EVERYTHING, Scope, slug

# How often Honeycomb evaluates burn alerts is in none of its pages: a minute is the slow guess.
EVALUATE_SECONDS = 60.0
RUN_SECONDS = 10.0  # a run that takes longer is ended
TEAM = "sandbox"


class StandIn:
    """Everything a request needs; `evaluate` and `deliver` are what the background does."""

    def __init__(
        self,
        url: str,
        database: str = ":memory:",
        *,
        relaxed: bool = False,
        clock: Callable[[], float] = time,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
        evaluate_every: float = EVALUATE_SECONDS,
    ) -> None:
        self.evaluate_every = evaluate_every
        self.url, self.relaxed, self.clock = url.rstrip("/"), relaxed, clock
        self.pages = f"{self.url}/{TEAM}/environments/{TEAM}"
        config: dict[str, str | bool | int | float | list[str]]
        config = {"threads": 2, "autoinstall_known_extensions": False, "memory_limit": "2GB"}
        self.database = duckdb.connect(database, config=config)
        self.events, self.objects = Events(self.database), Objects(self.database)
        self.revoked: set[str] = set()
        self.limits = RateLimit(DEFAULT_PER_MINUTE, clock)
        self.result_limit = RateLimit(QUERY_RESULTS_PER_MINUTE, clock)
        self.http = http or httpx.AsyncClient()
        self.deliveries = Deliveries(self.objects, self.pages, self.http, sleep)
        self.running: dict[str, Object] = {}
        self.details: dict[str, tuple[float, Object]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def datasets(self) -> dict[str, str]:
        """Slug to name of every dataset."""
        names = [o["name"] for o in self.objects.all("dataset")]
        return {slug(name): name for name in [*self.events.datasets(), *names]}

    def dataset(self, path: str) -> str:
        """The name behind a slug in a path, `__all__` for the environment; 404 if unknown."""
        if path == EVERYTHING:
            return EVERYTHING
        name = self.datasets().get(path.lower())
        if name is None:
            raise ApiError(404, f"dataset {path!r} not found")
        return name

    def scope(self, dataset: str, query: Object | None = None) -> Scope:
        """What columns mean on that dataset, and in that query."""
        own = {f["name"]: f["expression"] for f in (query or {}).get("calculated_fields") or []}
        return Scope(self.events, self.objects, dataset, own)

    async def run(self, result: Object) -> None:
        """Run the query of a result; the result is complete afterwards."""
        spec = result["query"]
        run = Run(
            parse_query(spec),
            result["dataset"],
            result["start"],
            result["end"],
            result["limit"],
            result["series"],
            result["total"],
            result["other"],
        )
        interrupt = threading.Event()
        timer = asyncio.get_running_loop().call_later(RUN_SECONDS, interrupt.set)
        scope = self.scope(run.dataset, spec)
        try:
            data = await asyncio.to_thread(execute, self.events, scope, run, interrupt)
            outcome: Object = {"data": data}
        except (duckdb.Error, ApiError) as error:
            outcome = {"data": {"results": [], "series": []}, "error": str(error)}
        finally:
            timer.cancel()
        self.objects.put("result", {**result, **outcome, "complete": True})
        self.running.pop(result["id"], None)

    def evaluate(self) -> list[burn.Firing]:
        """Judge every burn alert on the data as of now."""
        return burn.evaluate(self.events, self.objects, self.clock(), lambda: str(uuid.uuid4()))

    def deliver(self, firing: burn.Firing) -> list[Object]:
        """Log the deliveries of a firing and send them in the background."""
        prepared = self.deliveries.prepare(firing)
        for delivery in prepared:
            self.spawn(self.deliveries.send(delivery))
        return prepared

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run beside the requests; kept so that it is not collected midway."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def watch(self) -> None:
        """Evaluate on the clock's multiples of `evaluate_every` seconds, until cancelled.

        One bad turn is printed and does not end the watch.
        """
        while True:
            await asyncio.sleep(self.evaluate_every - self.clock() % self.evaluate_every)
            try:
                for firing in await asyncio.to_thread(self.evaluate):
                    self.deliver(firing)
            except Exception:  # noqa: BLE001 - no alert would ever fire again, and nobody would know
                traceback.print_exc()

    async def close(self) -> None:
        """Stop what runs, and keep what was taken in."""
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.http.aclose()
        self.events.close()
        self.database.close()
