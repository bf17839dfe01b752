"""The operator's desk: `python -m backburn incidents | show | retry | close`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import count, takewhile

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from backburn import wiring
from backburn.errors import BackburnError, Malformed
from backburn.incident import Incident, Status, artifact_key, execution_name
from backburn.ports import Artifacts, Incidents, Workflow

STATE = "operator"
DOCUMENTS = (
    *("evidence", "diagnosis", "change", "patch", "preview"),
    *("proposal", "update", "rollback", "record"),
)
LOOKS = ("verdict", "verdict-rollback")  # one document a look: verdict-1, verdict-2, ...
NAMES = f"{', '.join(DOCUMENTS)}, {' or '.join(f'{name}-LOOK' for name in LOOKS)}"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.stack:
            wiring.read_stack(options.stack)
        print(_run(options, wiring.incidents(), wiring.now()))
    except NoRegionError:
        print("backburn: no region is set; set AWS_DEFAULT_REGION to the stack's", file=sys.stderr)
        return 1
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
        ("retry", "start another attempt at an incident that nothing works on"),
        ("close", "close one that nothing works on: its SLO and its stack are free again"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("incident", metavar="INCIDENT")
        if name == "show":
            command.add_argument("--document", type=_document, help=f"print one: {NAMES}")
        if name == "close":
            command.add_argument("--reason", default="closed by an operator")
    return parser


def _run(options: argparse.Namespace, incidents: Incidents, now: datetime) -> str:
    match options.command:
        case "incidents":
            return listed(incidents.recent())
        case "show":
            incident = known(options.incident, incidents)
            if options.document:
                return document(incident, options.document, wiring.artifacts())
            return shown(incident, wiring.artifacts())
        case "retry":
            return retry(options.incident, incidents, wiring.workflow(), now)
    return close(options.incident, options.reason, incidents, wiring.workflow(), now)


def _document(name: str) -> str:
    if name in DOCUMENTS or re.fullmatch(rf"({'|'.join(LOOKS)})-[1-9]\d*", name):
        return name
    raise argparse.ArgumentTypeError(f"{name!r} is none of {NAMES}")


def known(incident: str, incidents: Incidents) -> Incident:
    """The record; Malformed if there is none."""
    try:
        return incidents.get(incident)
    except KeyError as error:
        said = f"no incident {incident} is on record: `incidents` lists the newest"
        raise Malformed(said) from error


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
        lines += [f"  {key}" for key in _written(incident.id, attempt, artifacts)]
    return "\n".join(lines).rstrip()


def _written(incident: str, attempt: int, artifacts: Artifacts) -> Iterator[str]:
    """The keys of the documents that an attempt has written."""

    def there(name: str) -> bool:
        return artifacts.version(artifact_key(incident, attempt, name)) is not None

    names = [name for name in DOCUMENTS if there(name)]
    for name in LOOKS:
        looks = (f"{name}-{look}" for look in count(1))
        names += takewhile(there, looks)
    return (artifact_key(incident, attempt, name) for name in names)


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
    found = known(incident, incidents)
    if running := _execution(found, workflow):
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


def close(
    incident: str, reason: str, incidents: Incidents, workflow: Workflow, now: datetime
) -> str:
    """Close by hand what is parked, or should be."""
    found = known(incident, incidents)
    if running := _execution(found, workflow):
        raise Malformed(f"{incident} is being handled by the execution {running}: stop that first")
    if not found.status.holds:
        raise Malformed(f"{incident} is {found.status.value}: it holds nothing, there is no need")
    incidents.set_status(incident, Status.CLOSED, reason, now)
    incidents.note(incident, now, STATE, reason)
    return f"{incident} is closed: {reason}"


def _execution(incident: Incident, workflow: Workflow) -> str | None:
    """The execution that works on it, if one does.

    The status alone does not tell: it stays `open` or `applied` if parking itself has failed, and
    `parked` while a redriven execution goes on.
    """
    if not incident.status.holds:
        return None
    name = execution_name(incident.id, incident.attempt)
    return name if workflow.running(name) else None


if __name__ == "__main__":
    sys.exit(main())
