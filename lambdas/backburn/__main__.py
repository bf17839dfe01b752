"""The operator's desk: `python -m backburn incidents | show | retry | close`."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from backburn import wiring
from backburn.errors import BackburnError, Malformed
from backburn.incident import Incident, Status, artifact_key, execution_name
from backburn.ports import Artifacts, Incidents, Workflow

STATE = "operator"
DOCUMENTS = (
    *("evidence", "diagnosis", "change", "patch", "preview"),
    *("proposal", "update", "rollback", "record"),
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.stack:
            wiring.read_stack(options.stack)
        print(_run(options, wiring.incidents(), wiring.now()))
    except (BackburnError, KeyError, BotoCoreError, ClientError) as error:
        print(f"backburn: {error.args[0] if error.args else error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backburn", description=__doc__)
    parser.add_argument(
        "--stack", help="CloudFormation stack to read the addresses from; else the environment"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("incidents", help="the newest incidents, one a line")
    for name, about in (
        ("show", "one incident: its timeline and its documents"),
        ("retry", "start another attempt at an incident that has ended or is parked"),
        ("close", "close a parked incident by hand: its SLO and its stack are free again"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("incident", metavar="INCIDENT")
        if name == "show":
            command.add_argument("--document", choices=DOCUMENTS, help="print one of them instead")
        if name == "close":
            command.add_argument("--reason", default="closed by an operator")
    return parser


def _run(options: argparse.Namespace, incidents: Incidents, now: datetime) -> str:
    match options.command:
        case "incidents":
            return listed(incidents.recent())
        case "show":
            incident = incidents.get(options.incident)
            if options.document:
                return document(incident, options.document, wiring.artifacts())
            return shown(incident, wiring.artifacts())
        case "retry":
            return retry(options.incident, incidents, wiring.workflow(), now)
    return close(options.incident, options.reason, incidents, now)


def listed(incidents: list[Incident]) -> str:
    """The newest incidents, one a line."""
    lines = [
        f"{i.opened:%Y-%m-%d %H:%M}  {i.id:<32}  {i.status.value:<12}  {i.reason or i.summary}"
        for i in incidents
    ]
    return "\n".join(lines) or "no incidents are on record"


def shown(incident: Incident, artifacts: Artifacts) -> str:
    """One incident for a person: where it stands, what happened, where the documents are."""
    lines = [
        f"{incident.id}: {incident.status.value}" + f", {incident.reason}" * bool(incident.reason),
        f"  workload  {incident.workload}, attempt {incident.attempt}",
        f"  alert     {incident.alert} on SLO {incident.slo}: {incident.summary}",
        f"  opened    {incident.opened:%Y-%m-%d %H:%M:%S} UTC",
        "",
        *(f"  {note.at:%H:%M:%S}  {note.state:<18}  {note.text}" for note in incident.notes),
        "",
    ]
    for attempt in range(1, incident.attempt + 1):
        keys = (artifact_key(incident.id, attempt, name) for name in DOCUMENTS)
        lines += [f"  {key}" for key in keys if artifacts.version(key) is not None]
    return "\n".join(lines).rstrip()


def document(incident: Incident, name: str, artifacts: Artifacts) -> str:
    """A document of the newest attempt that has it."""
    for attempt in range(incident.attempt, 0, -1):
        try:
            return artifacts.read(artifact_key(incident.id, attempt, name)).decode()
        except KeyError:
            continue
    raise Malformed(f"{incident.id} has no {name}: it did not come so far")


def retry(incident: str, incidents: Incidents, workflow: Workflow, now: datetime) -> str:
    """Start another attempt."""
    found = incidents.get(incident)
    if found.status in {Status.OPEN, Status.APPLIED}:
        running = execution_name(found.id, found.attempt)
        raise Malformed(f"{incident} is being handled by the execution {running}: stop that first")
    try:
        attempt = incidents.next_attempt(incident)
    except LookupError as error:
        raise Malformed(f"its SLO has another open incident, {error}: work on that one") from error
    name = execution_name(incident, attempt)
    payload = {
        "incident": incident,
        "attempt": attempt,
        "workload": found.workload,
        "slo": found.slo,
    }
    try:
        workflow.start(name, payload)
    except Exception as error:
        incidents.set_status(incident, Status.PARKED, f"{name} could not be started", now)
        raise Malformed(f"{name} could not be started: {error}") from error
    incidents.note(incident, now, STATE, f"attempt {attempt} was started as {name}")
    return f"{name} is running"


def close(incident: str, reason: str, incidents: Incidents, now: datetime) -> str:
    """Close a parked incident by hand."""
    status = incidents.get(incident).status
    if status is not Status.PARKED:
        raise Malformed(f"{incident} is {status.value}; only a parked incident is closed by hand")
    incidents.set_status(incident, Status.CLOSED, reason, now)
    incidents.note(incident, now, STATE, reason)
    return f"{incident} is closed: {reason}"


if __name__ == "__main__":
    sys.exit(main())
