"""What the steps and routes need from the outside, one Protocol per thing.

Adapters implement these, fakes in `tests/fakes/` too, and both pass the same contract tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from .workload import EcsService, Model

if TYPE_CHECKING:  # contracts are read by the checker: a route's cold start need not pay for them
    from .decision import Decision, Link, Request
    from .evidence import Kind, Reading
    from .incident import Incident, Status
    from .patch import Files
    from .rollout import Look
    from .sli import Window
    from .telemetry import Columns, Query, Rows, Slo
    from .update import Holder, Run

Clock = Callable[[], datetime]  # aware, UTC


class Failure(Model):
    """How an execution that did not succeed ended."""

    state: str  # the state it entered last
    error: str
    cause: str


class Artifacts(Protocol):
    """The artifacts bucket: evidence, diagnoses, proposals, bundles. Keys as in incident.py."""

    def read(self, key: str) -> bytes:
        """The object's bytes; KeyError if there is none."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Store under `key`, replacing what is there."""
        ...

    def version(self, key: str) -> str | None:
        """An opaque tag of the object's present content (S3: its ETag), None if absent."""
        ...

    def replace(self, key: str, data: bytes, version: str) -> bool:
        """Store only if the object is still at `version`; False if it moved on."""
        ...


class Incidents(Protocol):
    """The incidents table."""

    def record_delivery(self, delivery: str, body: str, now: datetime) -> bool:
        """Durably record one webhook delivery; False if its id was recorded before."""
        ...

    def settle_delivery(self, delivery: str, outcome: str) -> None:
        """Say what became of a delivery, so that the sweep leaves it alone."""
        ...

    def unsettled_deliveries(self, before: datetime) -> list[tuple[str, str]]:
        """(delivery id, body) of those recorded before then that did not go on."""
        ...

    def first_of_hour(self, slo: str, delivery: str, now: datetime) -> bool:
        """Whether nobody was told of this unknown SLO for an hour; True again for a repetition."""
        ...

    def open(self, incident: Incident) -> Incident:
        """Open it, or return the incident already open for its SLO, or its own earlier record."""
        ...

    def get(self, incident: str) -> Incident:
        """The record; KeyError if there is none."""
        ...

    def recent(self, limit: int = 50) -> list[Incident]:
        """Newest first."""
        ...

    def note(self, incident: str, now: datetime, state: str, text: str) -> None:
        """Append one line to the timeline."""
        ...

    def set_status(self, incident: str, status: Status, reason: str, now: datetime) -> None:
        """Change the status; a closing status also frees the SLO and the stack."""
        ...

    def awaiting_ok(self, before: datetime) -> list[str]:
        """Ids of the incidents that have awaited their OK since before then."""
        ...

    def next_attempt(self, incident: str) -> int:
        """Count one more attempt, reopening the incident; its number.

        LookupError if another incident has been opened for its SLO since.
        """
        ...

    def claim_stack(self, stack: str, incident: str) -> str:
        """Claim the one change in flight of a Pulumi stack; the incident that holds it."""
        ...

    def count_change(self, workload: str, day: str, limit: int, incident: str) -> bool:
        """Count one change of this incident today (once); False if the cap is reached."""
        ...


class Approvals(Protocol):
    """The approvals table: who was asked, by which links, and what was decided first."""

    def ask(self, request: Request, links: Sequence[Link], now: datetime) -> None:
        """Store a request and its links; links and decision of an earlier generation die."""
        ...

    def request(self, execution: str) -> Request:
        """The request of an execution; KeyError if there is none."""
        ...

    def link(self, link: str) -> Link:
        """The link of that hash; KeyError if there is none."""
        ...

    def spend_try(self, link: str, limit: int) -> int:
        """Count one try at the short code before looking at it; its number, 0 if none is left."""
        ...

    def decide(self, execution: str, generation: str, decision: Decision) -> Decision:
        """Write the decision unless one stands; the one that stands. LookupError: superseded."""
        ...

    def decision(self, execution: str) -> Decision | None:
        """The decision that stands for an execution."""
        ...

    def delivered(self, execution: str) -> None:
        """The task token was sent, or nobody waits for it any more."""
        ...

    def undelivered(self, before: datetime) -> list[str]:
        """Executions whose decision was written before then and not yet delivered."""
        ...


class Brakes(Protocol):
    """The kill switch."""

    def engaged(self) -> str | None:
        """Why everything is stopped, or None. A switch that cannot be read is on."""
        ...


class MacKey(Protocol):
    """The HMAC key of decisions. Only the approval route may generate."""

    def generate(self, message: bytes) -> bytes:
        """The message's MAC (at most 4096 bytes of message, KMS's limit)."""
        ...

    def verify(self, message: bytes, mac: bytes) -> bool:
        """Whether `mac` was made over exactly this message."""
        ...


class Mailer(Protocol):
    """Plain text mail, ASCII subject under 100 characters (SNS's limits)."""

    def to_approver(self, approver: str, subject: str, text: str) -> None:
        """Mail one approver; their topic is theirs alone."""
        ...

    def to_operators(self, subject: str, text: str) -> None:
        """Tell the operators of something that needs them."""
        ...


class Secrets(Protocol):
    """The secrets store."""

    def text(self, secret: str) -> str:
        """A secret's string; how old it may be is the adapter's matter, minutes at most."""
        ...

    def previous(self, secret: str) -> str | None:
        """The string before the last rotation, as old; None if there was none."""
        ...


class Workflow(Protocol):
    """The state machine."""

    def start(self, name: str, payload: Mapping[str, Any]) -> None:
        """Start the execution `name`; a second start of the same name is no error."""
        ...

    def succeed(self, token: str, output: Mapping[str, Any]) -> None:
        """Wake a waiting state; LookupError if nobody waits on the token any more."""
        ...

    def fail(self, token: str, error: str, cause: str) -> None:
        """Wake a waiting state with an error; LookupError as above."""
        ...

    def running(self, name: str) -> bool:
        """Whether the execution `name` is at work; False if it has ended or never began."""
        ...

    def failure(self, name: str) -> Failure:
        """Where and why the execution `name` ended."""
        ...


class Telemetry(Protocol):
    """The store of spans. Errors: HoneycombDenied, HoneycombRateLimited, HoneycombUnreachable."""

    def slo(self, dataset: str, slo: str) -> Slo:
        """The objective as its owner defined it."""
        ...

    def columns(self, dataset: str) -> Columns:
        """What the dataset calls its fields, and which columns it has."""
        ...

    def run(self, dataset: str, query: Query) -> Rows:
        """Ask and wait for the answer; counts against the limit of query results a minute."""
        ...

    def mark(self, dataset: str, message: str, at: datetime, url: str = "") -> None:
        """Draw a marker on the dataset's graphs."""
        ...


class Metrics(Protocol):
    """The resources' own utilisation."""

    def readings(self, service: EcsService, kind: Kind, window: Window) -> tuple[Reading, ...]:
        """CPU or memory in percent of what the tasks have, by time; empty if none was published."""
        ...


class Engine(Protocol):
    """The Pulumi engine on one stack. Every call takes the whole bundle and leaves no trace.

    All raise Broken (the program's own lines), Locked (who, since when) or BuildFault.
    """

    def versions(self, files: Files) -> tuple[str, str]:
        """Of the CLI and of the language host."""
        ...

    def export(self, files: Files) -> Mapping[str, Any]:
        """The stack's state, secrets encrypted."""
        ...

    def preview(self, files: Files) -> Mapping[str, Any]:
        """One `pulumi preview --json --refresh` document, unchanged resources included."""
        ...

    def plan(self, files: Files) -> tuple[Mapping[str, Any], bytes]:
        """The same, and the update plan that `up` is held to."""
        ...

    def up(self, files: Files, plan: bytes, started: Callable[[int], None]) -> Run:
        """Apply exactly this plan; `started` is told the engine's process id first."""
        ...

    def unlock(self, files: Files) -> None:
        """Remove every lock of the stack: only for one that is known to be nobody's any more."""
        ...


class Builds(Protocol):
    """The builds that carry out a change."""

    def holder(self, pid: int) -> Holder:
        """The build that runs us, as a lock names it."""
        ...

    def ended(self, build: str) -> bool:
        """Whether a build is over; False if that cannot be known."""
        ...


class Rollouts(Protocol):
    """What ECS says of a service."""

    def look(self, cluster: str, service: str) -> Look:
        """The primary deployment and the newest service deployments."""
        ...
