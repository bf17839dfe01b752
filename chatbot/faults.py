"""Named faults: what changes in the world, in proportion to what the task can do. Never an answer.

Every figure is relative to the capacity that `calibrate` measures on the running service, so that a
fault bites alike on any machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Protocol

import httpx

from chatbot.traffic import CHAT_SHARE, Call, call

UNITS_PER_VCPU = 1024
WARM_UP = 20
ASKED = 100  # with the usual shares exactly
STRIDE = 37  # mixes them: it has no factor in common with ASKED
AT_ONCE = 10  # more than the workers of half a vCPU
PATIENCE = 30.0


class World(Protocol):
    """What a fault may change."""

    def set_rate(self, rate: float) -> None:
        """Arrivals a second."""
        ...

    def set_max_in_flight(self, count: int) -> None:
        """How many users wait at once; more give up."""
        ...

    def set_bedrock_quota(self, quota: Mapping[str, float | None]) -> None:
        """Replace the model endpoint's quota: the body of `POST /_sandbox/quota`."""
        ...


@dataclass(frozen=True)
class Calibration:
    """What a request of the usual mix costs here, and how large the task is."""

    cpu_ms: float
    cpu_units: int

    @property
    def capacity(self) -> float:
        """Requests a second that keep the task's CPU exactly busy."""
        return self.cpu_units / UNITS_PER_VCPU * 1000 / self.cpu_ms


class Change(Protocol):
    """One thing about the world."""

    def apply(self, world: World, calibration: Calibration) -> None:
        """Make it so."""
        ...


@dataclass(frozen=True)
class Traffic:
    """How many ask, and how long the queue of those who wait may become."""

    load: float  # arrivals, as a multiple of the task's capacity
    patience: float  # seconds of the task's capacity that may be waiting before users give up

    def apply(self, world: World, calibration: Calibration) -> None:
        """See Change."""
        world.set_max_in_flight(max(2, round(self.patience * calibration.capacity)))
        world.set_rate(self.load * calibration.capacity)


@dataclass(frozen=True)
class ModelQuota:
    """What the model provider lets in; a larger task of ours does not change it."""

    chats: float | None = None  # a second, as a multiple of the chats the task has capacity for
    concurrent: int | None = None
    latency_factor: float = 1.0
    throttle_share: float = 0.0

    def apply(self, world: World, calibration: Calibration) -> None:
        """See Change."""
        quota = asdict(self)
        chats = quota.pop("chats")
        per_second = None if chats is None else chats * CHAT_SHARE * calibration.capacity
        world.set_bedrock_quota({"per_second": per_second, **quota})


@dataclass(frozen=True)
class Fault:
    """A healthy world, and what then happens to it."""

    name: str
    tells: str
    before: tuple[Change, ...]
    during: tuple[Change, ...]

    def apply(self, changes: tuple[Change, ...], world: World, calibration: Calibration) -> None:
        """Make one side of the fault so, in the order it stands in."""
        for change in changes:
            change.apply(world, calibration)


CALM = Traffic(load=0.4, patience=8)

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(
            "cpu",
            "traffic grows to 1.3 times of what the task's CPU can serve",
            before=(ModelQuota(), CALM),
            during=(Traffic(load=1.3, patience=3.5),),
        ),
        Fault(
            "throttled",
            "the model provider refuses nine of ten calls; traffic stays as it was",
            before=(ModelQuota(), CALM),
            during=(ModelQuota(throttle_share=0.9),),
        ),
        Fault(
            "worse",
            "traffic grows beyond the task's CPU, and the model's quota lies not far above it",
            before=(ModelQuota(chats=1.25), CALM),
            during=(Traffic(load=1.65, patience=1.1),),
        ),
    )
}


def calibrate(url: str, client: httpx.Client | None = None) -> Calibration:
    """What a request costs the process that serves `url` when it is kept busy without a pause."""
    # Kept busy, because on shared processors the same work costs more when all of them are.
    mix = [call(turn, (turn * STRIDE % ASKED + 0.5) / ASKED) for turn in range(ASKED)]
    with (
        client or httpx.Client(base_url=url, timeout=PATIENCE) as asking,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        list(pool.map(partial(_ask, asking), mix[:WARM_UP]))
        before = _health(asking)
        list(pool.map(partial(_ask, asking), mix))
        after = _health(asking)
    if before["revision"] != after["revision"]:
        raise RuntimeError(
            f"{url} changed from revision {before['revision']} to {after['revision']} while it was"
            " being measured; calibrate when its rollout has settled"
        )
    served = after["requests"] - before["requests"]
    spent = after["cpuSeconds"] - before["cpuSeconds"]
    return Calibration(cpu_ms=spent * 1000 / served, cpu_units=after["cpuUnits"])


def _ask(client: httpx.Client, one: Call) -> None:
    client.request(one.method, one.path, json=one.body).raise_for_status()


def _health(client: httpx.Client) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/api/health").raise_for_status().json()
    return told
