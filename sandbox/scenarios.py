"""How each scenario of the demo must end."""

from __future__ import annotations

from dataclasses import dataclass

from backburn.incident import Status


@dataclass(frozen=True)
class Scenario:
    """A fault of `chatbot.faults` and the one ending that is right for it."""

    name: str
    tells: str
    outcome: str  # with which the workflow reached CloseIncident
    ends: frozenset[Status]
    passes: frozenset[str]  # states it must have gone through
    avoids: frozenset[str]  # states it must not have gone through
    halves_p95: bool = False


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "cpu",
            "traffic outgrows the task's CPU; the fix is the next legal task size",
            outcome="Recovered",
            # Honeycomb's own OK may come before or after our proof.
            ends=frozenset({Status.AWAITING_OK, Status.RECOVERED}),
            passes=frozenset({"RequestApproval", "ApplyPatch", "AwaitRollout", "Verify"}),
            avoids=frozenset({"RollBack"}),
            halves_p95=True,
        ),
        Scenario(
            "throttled",
            "the model provider throttles; nothing of ours cures that",
            outcome="NotOurs",
            ends=frozenset({Status.CLOSED}),
            passes=frozenset({"Diagnose"}),
            avoids=frozenset({"ProposePatch", "RequestApproval", "ApplyPatch"}),
        ),
        Scenario(
            "worse",
            "a larger task lets more requests at once into a model endpoint with a fixed quota",
            outcome="RolledBack",
            ends=frozenset({Status.ROLLED_BACK}),
            passes=frozenset({"RequestApproval", "ApplyPatch", "Verify", "RollBack"}),
            avoids=frozenset(),
        ),
    )
}
