"""What each scenario of the demo does to the world, and how it must end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """A fault of `chatbot.faults` and the one ending that is right for it."""

    name: str
    tells: str
    status: str  # of the incident, at its end
    outcome: str  # what closed it: a verdict, or the class of an answer
    proposes: bool = True
    applied: tuple[str, ...] = ()  # states that must have been passed
    halves_p95: bool = False


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "cpu",
            "traffic outgrows the task's CPU; the fix is the next legal task size",
            status="awaiting_ok",
            outcome="recovered",
            applied=("ApplyPatch", "Verify"),
            halves_p95=True,
        ),
        Scenario(
            "throttled",
            "the model provider throttles; nothing of ours cures that",
            status="closed",
            outcome="NotOurs",
            proposes=False,
        ),
        Scenario(
            "worse",
            "a larger task lets more requests at once into a model endpoint with a fixed quota",
            status="rolled_back",
            outcome="worse",
            applied=("ApplyPatch", "Verify", "RollBack"),
        ),
    )
}
