"""Playing a scenario: traffic, the fault, then following Backburn to the incident's end."""

from __future__ import annotations

import os
import time
from typing import Self

from backburn import wiring
from backburn.incident import Incident, execution_name
from chatbot.faults import FAULTS, calibrate
from chatbot.latency import Figures
from chatbot.load import Load
from sandbox import approver, slo
from sandbox.execution import ENDED, Execution
from sandbox.narrator import Narrator, figures
from sandbox.scenarios import Scenario
from sandbox.story import Story
from sandbox.surroundings import Surroundings
from sandbox.world import World

ALERT_WITHIN = 180.0
END_WITHIN = 900.0
A_PERSON_TAKES = 1800.0  # at most: then the approval expires
POLL = 0.5


class Play:
    """One scenario in one world; traffic flows from enter to exit."""

    def __init__(self, world: World, story: Story, scenario: Scenario, *, clicks: bool) -> None:
        self.world, self.story, self.scenario, self.clicks = world, story, scenario, clicks
        self.fault = FAULTS[scenario.name]
        self.load = Load(world.addresses.chatbot, 0.1)
        self.surroundings = Surroundings(self.load, world.addresses.bedrock)
        self.narrator = Narrator(world, story)
        self.times: dict[str, float] = {}
        self.read = 0  # approval mails

    def __enter__(self) -> Self:
        os.environ.update(self.world.product_environment())
        self.surroundings.set_bedrock_quota({})  # what an earlier fault may have left
        self.calibration = calibrate(self.world.addresses.chatbot)
        self.fault.apply(self.fault.before, self.surroundings, self.calibration)
        self.load.start()
        self.story.say(
            "load",
            f"a request costs {self.calibration.cpu_ms:.0f} ms of CPU here, the task has "
            f"{self.calibration.cpu_units} units: {self.load.figures().rate:.1f} requests/s flow",
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.load.stop()

    def to_its_end(self) -> list[str]:
        """Play; what did not end as it must, in words."""
        healthy = self.baseline()
        incident = self.burn()
        if not incident:
            told = figures(self.load.figures())
            return [f"no alert within {ALERT_WITHIN:.0f} s of the fault: {told}"]
        burning = self.load.figures(wiring.workloads().named("chatbot").windows.burn / 2)
        self.story.say("alert", f"{incident.summary}\nincident {incident.id}; {figures(burning)}")
        record = self.followed(incident)
        after = self.load.figures(15)
        self.narrator.sum_up(record, self.execution(record), (healthy, burning, after), self.times)
        return self.problems(record, burning, after)

    def baseline(self) -> Figures:
        """Healthy traffic for as long as the workload's baseline needs; its figures."""
        windows = wiring.workloads().named("chatbot").windows
        self._wait(windows.baseline + windows.gap - slo.EVALUATE_EVERY, "the baseline")
        self.world.connect_honeycomb()
        # Judged on the clock's multiples: a fault right after one of them burns until the next.
        self._wait(slo.EVALUATE_EVERY - time.time() % slo.EVALUATE_EVERY + 1, "the baseline")
        healthy = self.load.figures(windows.baseline)
        self.story.say("load", f"healthy: {figures(healthy)}")
        return healthy

    def burn(self) -> Incident | None:
        """Let the fault happen; the incident that the alert opens, or None if none comes."""
        known = {incident.id for incident in wiring.incidents().recent()}
        self.fault.apply(self.fault.during, self.surroundings, self.calibration)
        self.story.say("fault", self.fault.tells)
        began = time.monotonic()
        while time.monotonic() - began < ALERT_WITHIN:
            for incident in wiring.incidents().recent(1):
                if incident.id not in known:
                    self.alerted = time.monotonic()
                    self.times["fault to alert"] = self.alerted - began
                    return incident
            self.story.pulse(f"burning: {figures(self.load.figures())}")
            time.sleep(POLL)
        return None

    def followed(self, incident: Incident) -> Incident:
        """Tell what happens until the execution has ended; the record then."""
        deadline = time.monotonic() + END_WITHIN + (0 if self.clicks else A_PERSON_TAKES)
        while time.monotonic() < deadline:
            record = wiring.incidents().get(incident.id)
            execution = self.execution(record)
            ended = execution.status() in ENDED
            self.narrator.tell(wiring.incidents().get(incident.id), execution)
            if ended:
                self.times["alert to end"] = time.monotonic() - self.alerted
                break
            letters = approver.letters(self.world.addresses.mailbox, record.id)
            if len(letters) > self.read:
                self.read = len(letters)
                self.asked(letters[-1])
            self.story.pulse(figures(self.load.figures()))
            time.sleep(POLL)
        return wiring.incidents().get(incident.id)

    def asked(self, letter: approver.Letter) -> None:
        """An approval mail has come: show it, and click unless a person at the terminal does."""
        self.times["alert to proposal in the mailbox"] = time.monotonic() - self.alerted
        self.story.say("mail", f"{letter.subject}\n\n{letter.text}")
        if not self.clicks:
            self.story.say("approver", f"decide at {letter.link}\nwith the code {letter.code}")
            return
        answer = approver.decide(letter, "approve")
        self.story.say(
            "approver", f"opened the link, typed the code, approved: {answer.status_code}"
        )

    def problems(self, record: Incident, burning: Figures, after: Figures) -> list[str]:
        """What did not end as the scenario must, in words."""
        scenario, execution = self.scenario, self.execution(record)
        passed = execution.passed()
        names = {one.state for one in passed}
        problems = []
        if (status := execution.status()) != "SUCCEEDED":
            problems.append(f"the execution is {status}: {execution.failure()}")
        if record.status not in scenario.ends:
            problems.append(f"the incident is {record.status}, not {'/'.join(scenario.ends)}")
        if (outcome := self.outcome(record)) != scenario.outcome:
            problems.append(f"it was closed as {outcome}, not {scenario.outcome}")
        problems += [f"{state} was not passed" for state in sorted(scenario.passes - names)]
        problems += [f"{state} was passed" for state in sorted(scenario.avoids & names)]
        if scenario.halves_p95 and after.p95 > burning.p95 / 2:
            problems.append(f"P95 went from {burning.p95:.0f} to {after.p95:.0f} ms only")
        return problems

    def outcome(self, record: Incident) -> str:
        """With what the workflow reached CloseIncident."""
        passed = self.execution(record).passed()
        closing = [one.given for one in passed if one.state == "CloseIncident"]
        return str(closing[-1].get("outcome")) if closing else "nothing"

    def execution(self, record: Incident) -> Execution:
        """The execution of the record's latest attempt."""
        name = execution_name(record.id, record.attempt)
        states = self.world.client("stepfunctions")
        return Execution(states, self.world.outputs["StateMachineArn"], name)

    def _wait(self, seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.story.pulse(f"{what}, {left:.0f} s more: {figures(self.load.figures())}")
            time.sleep(min(POLL, left))
