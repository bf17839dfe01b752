"""The real definition in the local AWS, with stand-ins for its functions and builds."""

from __future__ import annotations

import io
import json
import socket
import sys
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.cloud.deploy import client
from stacks.functions import STEPS
from stacks.workflow import DEFINITION

ROOT = Path(__file__).parents[2]
CLOUD_PYTHON = ROOT / ".venv-cloud" / "bin" / "python"
ROLE = "arn:aws:iam::000000000000:role/stand-in"
# What the project's own buildspecs do with the step's answer, without the step.
BUILDSPEC = """
version: "0.2"
env: { shell: bash, exported-variables: [OUTCOME, REASON, PREVIEW, UPDATE] }
phases:
  build:
    commands:
      - echo "{\\"incident\\":\\"$INCIDENT\\",\\"attempt\\":\\"$ATTEMPT\\",\\"workload\\":\\"$WORKLOAD\\"}"
        >> "$STAGE/$INCIDENT/${STEP:-preview_patch}.jsonl"
      - . "$STAGE/$INCIDENT/${STEP:-preview_patch}.sh"
      - export OUTCOME REASON PREVIEW UPDATE
"""

PLAN = {
    "approval_seconds": 30,
    "soak_seconds": 0,
    "look_seconds": 0,
    "looks": 3,
    "poll_seconds": 0,
}
HAPPY: dict[str, list[dict[str, Any]]] = {
    "QueryTraces": [{"evidence": "e.json", "numbers": {"bad_share": 0.4}, "plan": PLAN}],
    "Diagnose": [{"diagnosis": "d.json", "cause": "own_cpu"}],
    "ProposePatch": [{"patch": "p.json", "setting": "ecs.task_size"}],
    "ConfirmBurn": [{"burning": True}],
    "AwaitRollout": [
        {"rollout": "settled", "settled_at": "2026-11-24T00:00:00+00:00", "reason": "COMPLETED"}
    ],
    "Verify": [{"verdict": "recovered", "look": 1, "looks_left": 2, "reason": "within the SLO"}],
    "CloseIncident": [{"status": "closed", "reason": "told"}],
}
BUILT: dict[str, dict[str, str]] = {
    "preview_patch": {"OUTCOME": "previewed", "REASON": "one step", "PREVIEW": "preview.json"},
    "apply_patch": {"OUTCOME": "applied", "REASON": "done", "UPDATE": "update.json"},
    "roll_back": {"OUTCOME": "rolled_back", "REASON": "undone", "UPDATE": "rollback.json"},
}


@dataclass
class Run:
    """One execution that was played to its end."""

    status: str
    error: str
    cause: str
    states: list[str]
    folder: Path

    def calls(self, name: str) -> list[dict[str, Any]]:
        """What a function or a build was given, call by call."""
        path = self.folder / f"{name}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def closed(self) -> dict[str, Any]:
        """What CloseIncident was told beside who it is about."""
        (told,) = self.calls("CloseIncident")
        return {
            k: v for k, v in told.items() if k not in ("incident", "attempt", "workload", "slo")
        }


@dataclass
class Theatre:
    """Plays incidents through the deployed state machine."""

    endpoint: str
    stage: Path
    machine: str = ""
    _played: int = field(default=0)

    def play(
        self,
        answers: dict[str, list[dict[str, Any]]] | None = None,
        built: dict[str, dict[str, str] | str] | None = None,
        decide: dict[str, str] | None = None,
    ) -> Run:
        """Run one incident: what differs from the happy way, and what the approver does."""
        self._played += 1
        name = f"play-{self._played}"
        folder = self.stage / name
        folder.mkdir()
        (folder / "play.json").write_text(json.dumps({**HAPPY, **(answers or {})}))
        for step, exports in {**BUILT, **(built or {})}.items():
            lines = exports if isinstance(exports, str) else _assignments(exports)
            (folder / f"{step}.sh").write_text(lines)
        machine = client("stepfunctions", self.endpoint)
        given = {"incident": name, "attempt": 1, "workload": "chatbot", "slo": "chat-latency"}
        arn = machine.start_execution(
            stateMachineArn=self.machine, name=name, input=json.dumps(given)
        )["executionArn"]
        asked = folder / "RequestApproval.jsonl"
        decision = {"decision": "approve"} if decide is None else decide
        deadline = time.monotonic() + 60
        while (told := machine.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"still running after {_entered(machine, arn)}"
            if decision and asked.exists() and asked.read_text().endswith("\n"):
                _answer(machine, json.loads(asked.read_text())["token"], decision)
                decision = {}
            time.sleep(0.05)
        return Run(
            told["status"],
            told.get("error", ""),
            told.get("cause", ""),
            _entered(machine, arn),
            folder,
        )


def _assignments(exports: dict[str, str]) -> str:
    return "".join(f"{name}='{value}'\n" for name, value in exports.items())


def _answer(machine: Any, token: str, decision: dict[str, str]) -> None:
    if "error" in decision:
        machine.send_task_failure(taskToken=token, **decision)
    else:
        machine.send_task_success(taskToken=token, output=json.dumps(decision))


def _entered(machine: Any, arn: str) -> list[str]:
    events = machine.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return [
        event["stateEnteredEventDetails"]["name"]
        for event in events
        if event["type"].endswith("StateEntered")
    ]


def command(folder: Path) -> list[str]:
    """How to start the local AWS on a free port."""
    assert CLOUD_PYTHON.exists(), "the local AWS is not set up: run `make setup`"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(CLOUD_PYTHON), "-m", "sandbox.cloud", "--port", str(port)]
    command += ["--state-dir", str(folder / "state"), "--outbox", str(folder / "outbox")]
    return [*command, "--lambda-python", sys.executable]


def deploy(theatre: Theatre) -> str:
    """Make the stand-ins and the state machine; its ARN."""
    lambdas, builds = (client(name, theatre.endpoint) for name in ("lambda", "codebuild"))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as zipped:
        zipped.write(Path(__file__).with_name("stand_in.py"), "stand_in.py")
    filled = {}
    for step in STEPS:
        filled[step.name] = lambdas.create_function(
            FunctionName=step.name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="stand_in.handler",
            Timeout=20,
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": {"STATE": step.name, "STAGE": str(theatre.stage)}},
        )["FunctionArn"]
    for project in ("PreviewProject", "DeployProject"):
        filled[project] = project
        builds.create_project(
            name=project,
            source={"type": "NO_SOURCE", "buildspec": BUILDSPEC},
            artifacts={"type": "NO_ARTIFACTS"},
            serviceRole=ROLE,
            environment={
                "type": "LINUX_CONTAINER",
                "image": "none",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [{"name": "STAGE", "value": str(theatre.stage)}],
            },
        )
    definition = DEFINITION.read_text()
    for name, value in filled.items():
        definition = definition.replace(f"${{{name}}}", value)
    machine = client("stepfunctions", theatre.endpoint).create_state_machine(
        name="Remediation", roleArn=ROLE, definition=definition
    )
    return str(machine["stateMachineArn"])
