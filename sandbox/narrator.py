"""What the demo says of an incident: each state in a few lines, its end in two tables."""

from __future__ import annotations

import json
from typing import Any

from backburn import wiring
from backburn.incident import Incident, artifact_key
from chatbot.latency import Figures
from sandbox.execution import Execution, Passed
from sandbox.story import Story
from sandbox.world import World

SHORTEST = 0.05  # seconds: Choices and Passes below it tell nothing


def figures(seen: Figures) -> str:
    """What the users see, in one line."""
    bad = seen.bad / max(seen.chats, 1)
    return f"P50 {seen.p50:.0f} ms, P95 {seen.p95:.0f} ms, {bad:.0%} not good"


class Narrator:
    """Tells each state once, and each line of the timeline once."""

    def __init__(self, world: World, story: Story) -> None:
        self.world, self.story = world, story
        self._told: dict[str, int] = {}

    def tell(self, record: Incident, execution: Execution) -> None:
        """Tell what has come since the last call."""
        passed = execution.passed()
        for one in passed[self._told.get("states", 0) :]:
            self._state(record, one)
        self._told["states"] = len(passed)
        for note in record.notes[self._told.get("notes", 0) :]:
            self.story.say(note.state, note.text)
        self._told["notes"] = len(record.notes)

    def sum_up(
        self,
        record: Incident,
        execution: Execution,
        sides: tuple[Figures, Figures, Figures],
        times: dict[str, float],
    ) -> None:
        """Before, burn and after side by side; how long each part took; where the record lies."""
        rows = [
            ["P50 ms", *(f"{side.p50:.0f}" for side in sides)],
            ["P95 ms", *(f"{side.p95:.0f}" for side in sides)],
            ["not good", *(f"{side.bad / max(side.chats, 1):.1%}" for side in sides)],
            ["answers/s", *(f"{side.answered_per_second:.1f}" for side in sides)],
        ]
        self.story.table("What the users saw", ["", "baseline", "burn", "now"], rows)
        spent: dict[str, float] = dict(times)
        for one in execution.passed():
            spent[f"  {one.state}"] = spent.get(f"  {one.state}", 0.0) + one.seconds
        timing = [[name, f"{took:.1f} s"] for name, took in spent.items() if took >= SHORTEST]
        self.story.table("How long it took", ["", ""], timing)
        self.story.say("end", f"{record.status}: {record.reason}")
        bucket = self.world.outputs["ArtifactsBucket"]
        self.story.say("end", f"the record: s3://{bucket}/incidents/{record.id}/")

    def _state(self, record: Incident, one: Passed) -> None:
        tell = {
            "QueryTraces": self._evidence,
            "Diagnose": self._diagnosis,
            "ProposePatch": self._patch,
            "PreviewPatch": self._preview,
            "Verify": self._verdict,
        }.get(one.state)
        if tell and isinstance(one.said, dict):
            tell(record, one.said, f"{one.seconds:.1f} s")

    def _evidence(self, _record: Incident, said: dict[str, Any], took: str) -> None:
        lines = [f"  {name}: {value:g}" for name, value in (said.get("numbers") or {}).items()]
        self.story.say("QueryTraces", "\n".join([f"measured ({took})", *lines]))

    def _diagnosis(self, _record: Incident, said: dict[str, Any], took: str) -> None:
        if cause := said.get("cause"):
            where = f"{said.get('service')}, {said.get('operation')}"
            sure = f"confidence {said.get('confidence')}"
            self.story.say("Diagnose", f"{cause} in {where}; {sure} ({took})")

    def _patch(self, record: Incident, said: dict[str, Any], took: str) -> None:
        if patch := self._document(record, "patch"):
            self.story.say("ProposePatch", f"{said.get('setting')} ({took})")
            self.story.diff(str(patch["diff"]))

    def _preview(self, record: Incident, said: dict[str, Any], took: str) -> None:
        preview = self._document(record, "preview") or {}
        steps = [f"  {step}" for step in preview.get("steps_in_words", ())]
        self.story.say("PreviewPatch", "\n".join([f"{said.get('outcome')} ({took})", *steps]))

    def _verdict(self, _record: Incident, said: dict[str, Any], _took: str) -> None:
        self.story.say("Verify", f"{said.get('verdict', '')}: {said.get('reason', '')}")

    def _document(self, record: Incident, name: str) -> dict[str, Any] | None:
        try:
            read = wiring.artifacts().read(artifact_key(record.id, record.attempt, name))
        except KeyError:
            return None
        return dict(json.loads(read))
