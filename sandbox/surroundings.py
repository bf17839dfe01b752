"""What a fault may change about the patient's surroundings: its traffic, its model endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from chatbot.load import Load


@dataclass(frozen=True)
class Surroundings:
    """`chatbot.faults.World` on a load generator and the Bedrock stand-in."""

    load: Load
    bedrock: str

    def set_rate(self, rate: float) -> None:
        """Arrivals a second."""
        self.load.set_rate(rate)

    def set_max_in_flight(self, count: int) -> None:
        """How many users wait at once; more give up."""
        self.load.set_max_in_flight(count)

    def set_bedrock_quota(self, quota: Mapping[str, float | None]) -> None:
        """Replace the model endpoint's quota."""
        httpx.post(f"{self.bedrock}/_sandbox/quota", json=dict(quota)).raise_for_status()
