"""Playing a scenario: traffic, the fault, then following Backburn to the incident's end."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any, Self

from backburn import wiring
from backburn.incident import Incident, artifact_key, execution_name
from chatbot.faults import FAULTS, Calibration, calibrate
from chatbot.latency import Figures
from chatbot.load import Load
from sandbox import approver
from sandbox.scenarios import Scenario
from sandbox.story import Story
from sandbox.surroundings import Surroundings
from sandbox.world import World

ALERT_WITHIN = 180.0
END_WITHIN = 600.0
ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


class Play:
    """One scenario in one world; traffic flows from enter to exit."""

    def __init__(self, world: World, story: Story, scenario: Scenario, *, clicks: bool) -> None:
        self.world, self.story, self.scenario, self.clicks = world, story, scenario, clicks
        self.fault = FAULTS[scenario.name]
        self.load = Load(world.addresses.chatbot, 0.1)
        self.surroundings = Surroundings(self.load, world.addresses.bedrock)
        self.times: dict[str, float] = {}

    def __enter__(self) -> Self:
        os.environ.update(self.world.product_environment())
        calibration = calibrate(self.world.addresses.chatbot)
        self._set(self.fault.before, calibration)
        self.calibration = calibration
        self.load.start()
        self.story.say(
            "load",
            f"a chat costs {calibration.cpu_ms:.0f} ms of CPU here; traffic flows at "
            f"{self.load.figures().rate:.1f} requests/s",
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.load.stop()

    def to_its_end(self) -> list[str]:
        """Play; what did not end as it must, in words."""
        windows = wiring.workloads().named("chatbot").windows
        self._wait(windows.baseline + windows.gap - 10, "healthy traffic, the baseline")
        healthy = self.load.figures(windows.baseline)
        self.story.say("load", f"healthy: {_figures(healthy)}")
        began = time.monotonic()
        self._set(self.fault.during, self.calibration)
        self.story.say("fault", self.fault.tells)
        incident = self._alerted(began)
        if not incident:
            return [f"no alert within {ALERT_WITHIN:.0f} s: {_figures(self.load.figures())}"]
        burning = self.load.figures(windows.burn / 2)
        self.story.say("alert", f"{incident.summary}\nincident {incident.id}; {_figures(burning)}")
        record = self._followed(incident)
        after = self.load.figures(15)
        self._sum_up(record, healthy, burning, after)
        return self._problems(record, burning, after)

    # ------------------------------------------------------------------ phases

    def _alerted(self, began: float) -> Incident | None:
        while time.monotonic() - began < ALERT_WITHIN:
            for incident in wiring.incidents().recent(1):
                self.times["fault → alert"] = time.monotonic() - began
                self.alerted = time.monotonic()
                return incident
            self.story.pulse(f"burning: {_figures(self.load.figures())}")
            time.sleep(0.5)
        return None

    def _followed(self, incident: Incident) -> Incident:
        told, clicked = 0, False
        while True:
            record = wiring.incidents().get(incident.id)
            for note in record.notes[told:]:
                self._tell(record, note.state, note.text)
            told = len(record.notes)
            status = self._execution(record)["status"]
            if status in ENDED and told == len(wiring.incidents().get(incident.id).notes):
                self.times["alert → end"] = time.monotonic() - self.alerted
                return wiring.incidents().get(incident.id)
            if not clicked and (mails := approver.letters(self.world.addresses.mailbox, record.id)):
                clicked = True
                self._approve(mails[-1])
            if time.monotonic() - self.alerted > END_WITHIN:
                return record
            self.story.pulse(_figures(self.load.figures()))
            time.sleep(0.5)

    def _tell(self, record: Incident, state: str, text: str) -> None:
        self.story.say(state, text)
        if state == "ProposePatch" and (patch := self._artifact(record, "patch")):
            self.story.diff(str(patch["diff"]))

    def _approve(self, letter: approver.Letter) -> None:
        self.times["alert → proposal in the mailbox"] = time.monotonic() - self.alerted
        self.story.say("mail", f"{letter.subject}\n{letter.text}")
        if not self.clicks:
            self.story.say("approver", f"decide at {letter.link}\ncode {letter.code}")
            return
        answer = approver.decide(letter, "approve")
        self.story.say(
            "approver", f"opened the link, typed the code, approved: {answer.status_code}"
        )

    # ------------------------------------------------------------------ the end

    def _sum_up(self, record: Incident, healthy: Figures, burning: Figures, after: Figures) -> None:
        head = ["", "baseline", "burn", "after"]
        rows = [
            ["P50 ms", *(f"{f.p50:.0f}" for f in (healthy, burning, after))],
            ["P95 ms", *(f"{f.p95:.0f}" for f in (healthy, burning, after))],
            ["bad share", *(f"{f.bad / max(f.chats, 1):.1%}" for f in (healthy, burning, after))],
            ["chats/s", *(f"{f.answered_per_second:.1f}" for f in (healthy, burning, after))],
        ]
        self.story.table("as the users saw it", head, rows)
        spans = [[name, f"{seconds:.1f} s"] for name, seconds in self._spans(record)]
        self.story.table("how long it took", ["", ""], spans)
        self.story.say("end", f"{record.status}: {record.reason}")
        self.story.say(
            "end",
            f"record: python -m backburn show {record.id}; documents under "
            f"s3://{self.world.outputs['ArtifactsBucket']}/incidents/{record.id}/",
        )

    def _spans(self, record: Incident) -> Iterator[tuple[str, float]]:
        yield from self.times.items()
        yield from self._states(record)

    def _states(self, record: Incident) -> Iterator[tuple[str, float]]:
        """How long each state of the execution took, in its order."""
        entered: dict[str, float] = {}
        spent: dict[str, float] = {}
        for event in self._history(record):
            detail = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails")
            if not detail:
                continue
            name, at = detail["name"], event["timestamp"].timestamp()
            if "stateEnteredEventDetails" in event:
                entered[name] = at
            else:
                spent[name] = spent.get(name, 0.0) + at - entered[name]
        for name, seconds in spent.items():
            if seconds >= 0.05:  # noqa: PLR2004 (Choices and Passes tell nothing)
                yield f"  {name}", seconds

    def _problems(self, record: Incident, burning: Figures, after: Figures) -> list[str]:
        scenario = self.scenario
        states = {name.strip() for name, _ in self._states(record)}
        proposed = self._artifact(record, "proposal") is not None
        execution = self._execution(record)
        outcome = json.loads(execution.get("output") or "{}")
        problems = []
        if execution["status"] != "SUCCEEDED":
            problems.append(f"the execution is {execution['status']}: {execution.get('cause')}")
        if record.status != scenario.status:
            problems.append(f"the incident is {record.status}, not {scenario.status}")
        if outcome.get("outcome") != scenario.outcome:
            problems.append(f"it ended by {outcome.get('outcome')!r}, not {scenario.outcome!r}")
        if proposed != scenario.proposes:
            problems.append("a change was proposed" if proposed else "no change was proposed")
        problems += [f"{state} was not passed" for state in scenario.applied if state not in states]
        if scenario.halves_p95 and after.p95 > burning.p95 / 2:
            problems.append(f"P95 went from {burning.p95:.0f} to {after.p95:.0f} ms only")
        return problems

    # ------------------------------------------------------------------ reading

    def _execution(self, record: Incident) -> dict[str, Any]:
        return dict(self.world.client("stepfunctions").describe_execution(
            executionArn=self._arn(record)
        ))  # fmt: skip

    def _history(self, record: Incident) -> list[dict[str, Any]]:
        pages = self.world.client("stepfunctions").get_paginator("get_execution_history")
        return [e for p in pages.paginate(executionArn=self._arn(record)) for e in p["events"]]

    def _arn(self, record: Incident) -> str:
        machine = self.world.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:")
        return f"{machine}:{execution_name(record.id, record.attempt)}"

    def _artifact(self, record: Incident, name: str) -> dict[str, Any] | None:
        try:
            read = wiring.artifacts().read(artifact_key(record.id, record.attempt, name))
        except KeyError:
            return None
        return dict(json.loads(read))

    def _set(self, changes: Any, calibration: Calibration) -> None:
        for change in changes:
            change.apply(self.surroundings, calibration)

    def _wait(self, seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.story.pulse(f"{what}, {left:.0f} s more: {_figures(self.load.figures())}")
            time.sleep(min(0.5, left))


def _figures(f: Figures) -> str:
    bad = f.bad / max(f.chats, 1)
    return f"P50 {f.p50:.0f} ms, P95 {f.p95:.0f} ms, {bad:.0%} over the SLO's second"
