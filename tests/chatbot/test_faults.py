"""Faults change the world in proportion to what the task can do."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from chatbot.faults import FAULTS, Calibration, ModelQuota, Traffic, calibrate

# A task of half a vCPU on which a request costs 50 ms: ten requests a second keep it busy.
TEN = Calibration(cpu_ms=50, cpu_units=512)


class Recorded:
    """A world that remembers how it was set."""

    def __init__(self) -> None:
        self.rate = 0.0
        self.max_in_flight = 0
        self.quota: dict[str, float | None] = {}

    def set_rate(self, rate: float) -> None:
        """Remember."""
        self.rate = rate

    def set_max_in_flight(self, count: int) -> None:
        """Remember."""
        self.max_in_flight = count

    def set_bedrock_quota(self, quota: Mapping[str, float | None]) -> None:
        """Remember."""
        self.quota = dict(quota)


def test_capacity_follows_from_cost_and_size() -> None:
    """Half a vCPU does ten requests of 50 ms a second."""
    assert pytest.approx(10) == TEN.capacity


def test_traffic_and_patience_are_in_proportion_to_capacity() -> None:
    """Load 1.3 is thirteen a second, two seconds of patience are twenty waiting."""
    world = Recorded()
    Traffic(load=1.3, patience=2).apply(world, TEN)
    assert world.rate == pytest.approx(13)
    assert world.max_in_flight == 20


def test_a_model_quota_is_in_chats_the_task_could_serve() -> None:
    """Eight in ten requests are chats."""
    world = Recorded()
    ModelQuota(chats=1.25).apply(world, TEN)
    assert world.quota == {
        "per_second": pytest.approx(10),
        "concurrent": None,
        "latency_factor": 1.0,
        "throttle_share": 0.0,
    }


@pytest.mark.parametrize("name", ["cpu", "throttled", "worse"])
def test_the_world_is_healthy_before_a_fault(name: str) -> None:
    """Half of the CPU is free, and the model lets everything in that arrives."""
    world = Recorded()
    fault = FAULTS[name]
    fault.apply(fault.before, world, TEN)
    assert 0 < world.rate <= TEN.capacity / 2
    assert world.quota["throttle_share"] == 0
    assert (world.quota["per_second"] or TEN.capacity) > world.rate


def test_cpu_demand_exceeds_the_task_and_fits_the_next_size() -> None:
    """More than 512 units can serve, well below what 1024 can."""
    world = Recorded()
    fault = FAULTS["cpu"]
    fault.apply(fault.before + fault.during, world, TEN)
    assert 1.2 * TEN.capacity < world.rate < 0.7 * 2 * TEN.capacity
    assert world.quota["per_second"] is None


def test_throttling_leaves_traffic_as_it_was() -> None:
    """Only the model provider changes."""
    world = Recorded()
    fault = FAULTS["throttled"]
    fault.apply(fault.before, world, TEN)
    calm = world.rate
    fault.apply(fault.during, world, TEN)
    assert (world.rate, world.quota["throttle_share"]) == (calm, 0.9)


def test_worse_asks_the_model_for_more_than_its_quota_only_with_a_larger_task() -> None:
    """What half a vCPU can send stays below the quota, what arrives lies above it."""
    world = Recorded()
    fault = FAULTS["worse"]
    fault.apply(fault.before + fault.during, world, TEN)
    chats = 0.8
    quota = world.quota["per_second"] or 0
    assert chats * TEN.capacity * 1.1 < quota < chats * world.rate / 1.1


class Counting:
    """A service that says what it spent."""

    def __init__(self, rollout: int = 10_000) -> None:
        self.served = 0
        self._rollout = rollout

    @property
    def revision(self) -> str:
        """The second one from the given request on."""
        return "1" if self.served < self._rollout else "2"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Spend 50 ms on everything but its health."""
        if request.url.path != "/api/health":
            self.served += 1
            return httpx.Response(200, json={})
        told = {"requests": self.served, "cpuSeconds": 1 + 0.05 * self.served, "cpuUnits": 512}
        return httpx.Response(200, json={**told, "revision": self.revision})


def test_calibration_reads_the_cost_from_the_service() -> None:
    """CPU seconds over requests, between two looks at its health."""
    client = httpx.Client(transport=httpx.MockTransport(Counting()), base_url="http://chatbot")
    measured = calibrate("http://chatbot", client)
    assert measured.cpu_ms == pytest.approx(50)
    assert measured.cpu_units == 512


def test_calibration_across_a_rollout_is_refused() -> None:
    """Two revisions would be measured as one."""
    client = httpx.Client(
        transport=httpx.MockTransport(Counting(rollout=50)), base_url="http://chatbot"
    )
    with pytest.raises(RuntimeError, match="revision 1 to 2"):
        calibrate("http://chatbot", client)
