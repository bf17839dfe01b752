"""An approved plan carried out once: checked, recorded before and after, compared (law 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from . import bundle, proposal
from .checkpoint import Checkpoint
from .errors import BuildFault, Locked, Refused
from .exports import Order
from .incident import execution_name
from .patch import Files
from .ports import Approvals, Artifacts, Brakes, Builds, Clock, Engine, Incidents, MacKey
from .preview import Step
from .proposal import Effects, Proposal
from .update import DOCUMENT, Holder, Kind, Run, Update, finished
from .workload import Workload

# A click in the last second still has ConfirmBurn and the start of a build before it.
GRACE = timedelta(minutes=15)


class Site(NamedTuple):
    """Where a change is carried out, and whom to ask before."""

    artifacts: Artifacts
    incidents: Incidents
    approvals: Approvals
    mac_key: MacKey
    brakes: Brakes
    engine: Engine
    builds: Builds
    clock: Clock


def approved(order: Order, workload: Workload, site: Site) -> Proposal:
    """The proposal that an approver approved, as their decision's MAC proves; or Refused."""
    data = site.artifacts.read(order.key("proposal"))
    try:
        document = proposal.read(data)
    except ValueError as wrong:
        raise Refused(f"proposal.json is not what was proposed: {wrong}") from wrong
    decision = site.approvals.decision(execution_name(order.incident, order.attempt))
    if decision is None:
        raise Refused("nobody decided on this proposal")
    if not site.mac_key.verify(decision.message(), decision.mac_bytes()):
        raise Refused("the decision was not written by the approval route: its MAC is wrong")
    objection = decision.objection(
        incident=order.incident,
        attempt=order.attempt,
        digest=proposal.digest(document),
        approvers=workload.approvers,
    )
    if objection:
        raise Refused(objection)
    effects = document.effects
    about = (effects.incident, effects.attempt, effects.workload)
    if about != (order.incident, order.attempt, order.workload):
        raise Refused(f"the proposal is about {effects.incident}, attempt {effects.attempt}")
    return document


def require_in_time(effects: Effects, clock: Clock) -> None:
    """Refused once the approval is too old to apply."""
    if clock() > effects.expires + GRACE:
        raise Refused(f"the approval expired at {effects.expires:%Y-%m-%d %H:%M} UTC")


def earlier(order: Order, artifacts: Artifacts, kind: Kind, effects: str) -> Update | None:
    """What an earlier run of the same build recorded of the same effects."""
    try:
        update = Update.model_validate_json(artifacts.read(order.key(DOCUMENT[kind])))
    except KeyError:
        return None
    return update if update.effects == effects else None


def execute(
    order: Order,
    site: Site,
    kind: Kind,
    files: Files,
    plan: bytes,
    steps: tuple[Step, ...],
    state: Checkpoint,
    effects: str,
) -> Update:
    """Run the plan, record what it did, and compare; BuildFault unless it did just that."""
    update = Update(
        kind=kind,
        effects=effects,
        result="started",
        plan=hashlib.sha256(plan).hexdigest(),
        started=site.clock(),
        earlier=_holders(order, site.artifacts),
    )

    def started(pid: int) -> None:
        nonlocal update
        update = update.model_copy(update={"holder": site.builds.holder(pid)})
        record(order, site, update)

    try:
        run = _up(order, site, files, plan, update, started)
    except Locked as locked:
        nothing = {"result": "failed", "ended": site.clock(), "said": str(locked)}
        record(order, site, update.model_copy(update=nothing))
        raise
    update = finished(update, run, steps, state.providers, site.clock())
    record(order, site, update)
    site.incidents.note(order.incident, site.clock(), state_of(kind), update.words())
    if update.result != "succeeded":
        raise BuildFault(f"the update did not do what was approved; {update.words()}")
    return update


def state_of(kind: Kind) -> str:
    """The state that makes such an update."""
    return "ApplyPatch" if kind == "apply" else "RollBack"


def record(order: Order, site: Site, update: Update) -> None:
    """Keep what is known of an update."""
    data = update.model_dump_json(indent=1).encode()
    site.artifacts.write(order.key(DOCUMENT[update.kind]), data)


def store_program(
    order: Order, site: Site, workload: Workload, files: Files, version: str | None
) -> str:
    """Make the files the program of the bundle store, if it is still at `version`; what to add."""
    key = workload.program.bundle
    if version is not None and site.artifacts.replace(key, bundle.pack(files), version):
        return ""
    said = f"{key} was replaced meanwhile: its next deployment would undo this, merge the patch"
    site.incidents.note(order.incident, site.clock(), "ApplyPatch", said)
    return said


def _up(
    order: Order,
    site: Site,
    files: Files,
    plan: bytes,
    before: Update,
    started: Callable[[int], None],
) -> Run:
    try:
        return site.engine.up(files, plan, started)
    except Locked as locked:
        if not _left_by(before.earlier, locked, site.builds):
            raise
        said = f"removed the lock that our own ended build left: {locked}"
        site.incidents.note(order.incident, site.clock(), state_of(before.kind), said)
        site.engine.unlock(files)
        return site.engine.up(files, plan, started)


def _left_by(holders: tuple[Holder, ...], locked: Locked, builds: Builds) -> bool:
    """Whether the one lock there is was taken by a build of ours that has ended."""
    if len(locked.holders) != 1:
        return False
    ours = [h for h in holders if (h.host, h.pid) == locked.holders[0]]
    return bool(ours) and all(builds.ended(h.build) for h in ours)


def _holders(order: Order, artifacts: Artifacts) -> tuple[Holder, ...]:
    """Every engine process that builds of this incident are known to have started."""
    found: list[Holder] = []
    for attempt in range(1, order.attempt + 1):
        for name in DOCUMENT.values():
            try:
                data = artifacts.read(order._replace(attempt=attempt).key(name))
            except KeyError:
                continue
            update = Update.model_validate_json(data)
            found += [*update.earlier, *([update.holder] if update.holder else [])]
    return tuple(dict.fromkeys(found))
