"""ApplyPatch: verify the approval, preview again, compare, apply: all in one build."""

from __future__ import annotations

from collections.abc import Mapping

from backburn import applying, bundle, catalogue, checkpoint, patch, proposal, redrive, wiring
from backburn.applying import Site
from backburn.brakes import capped, check, day
from backburn.errors import Braked, Drifted, Refused
from backburn.exports import Order, answer
from backburn.incident import Status, execution_name
from backburn.patch import Files, Patch
from backburn.proposal import Effects
from backburn.steps.preview_patch import foresee
from backburn.steps.propose_patch import program_files
from backburn.update import Update
from backburn.workload import Mode, Workload

# If one of these is another than was approved, somebody else was at work in between.
OTHERS_WORK = frozenset({"checkpoint", "same"})


def main() -> None:
    """Export what became of the approved change."""
    order = wiring.order()
    workload = wiring.workload(order.workload)
    site = wiring.site(workload)
    wiring.export(answer(lambda: apply_patch(order, workload, site), ("locked", "half_applied")))


def apply_patch(order: Order, workload: Workload, site: Site) -> Mapping[str, str]:
    """The build's answer."""
    effects = applying.approved(order, workload, site).effects
    version = site.artifacts.version(workload.program.bundle)
    files = program_files(workload, site.artifacts)
    edits = Patch.model_validate_json(site.artifacts.read(order.key("patch")))
    if (edits.sha256, edits.diff) != (effects.patch, effects.diff):
        raise Refused("patch.json is not the patch that was approved")
    update = _already_applied(order, site, files, edits, effects)
    if update is None:
        _require_same_program(files, effects)
        applying.require_in_time(effects, site.clock)
        _require_allowed(order, workload, site, effects)
        update = _apply(order, workload, site, files, edits, effects)
    said = ""
    if bundle.sha256(files) == effects.bundle:
        patched = patch.apply(edits, files)
        said = applying.store_program(order, site, workload, patched, version)
    site.incidents.set_status(order.incident, Status.APPLIED, effects.change.words(), site.clock())
    reason = "; ".join(filter(None, (update.words(), said)))
    return {"OUTCOME": "applied", "REASON": reason, "UPDATE": order.key("update")}


def _apply(
    order: Order,
    workload: Workload,
    site: Site,
    files: Files,
    edits: Patch,
    effects: Effects,
) -> Update:
    foreseen = foresee(order, workload, files, effects.change, edits, site.engine)
    found = Effects(**dict(foreseen.bound), expires=effects.expires)
    approved_digest = proposal.effects_digest(effects)
    if proposal.effects_digest(found) != approved_digest:
        fields = proposal.differing(effects, found)
        answered = Drifted if OTHERS_WORK & set(fields) else Refused
        raise answered(f"not what was approved any more: {', '.join(fields)} differ; propose again")
    # Foreseeing took minutes: a brake that was put on meanwhile stops it still.
    applying.require_in_time(effects, site.clock)
    check(workload, site.clock(), site.brakes.engaged())
    return applying.execute(
        order,
        site,
        "apply",
        patch.apply(edits, files),
        foreseen.plan,
        effects.steps,
        foreseen.checkpoint,
        approved_digest,
    )


def _already_applied(
    order: Order, site: Site, files: Files, edits: Patch, effects: Effects
) -> Update | None:
    """The update of an earlier run that did it all; HalfApplied if one did a part of it."""
    digest = proposal.effects_digest(effects)
    update = applying.earlier(order, site.artifacts, "apply", digest)
    if update is None or update.result == "succeeded":
        return update
    if update.did_nothing:
        return None
    if bundle.sha256(files) != effects.bundle:
        raise redrive.half_applied(update, "and the program moved on since")
    state = checkpoint.read(site.engine.export(files))
    if state.sha256 == effects.checkpoint:
        return None
    patched, resource = patch.apply(edits, files), effects.change.resource
    return redrive.finish(order, site, update, patched, effects.steps, state, resource)


def _require_same_program(files: Files, effects: Effects) -> None:
    """Drifted unless it is the approved program: no other may run here, not even a preview."""
    if bundle.sha256(files) != effects.bundle:
        raise Drifted("the bundle store holds another program than was approved: propose again")


def _require_allowed(order: Order, workload: Workload, site: Site, effects: Effects) -> None:
    """Incident, workload and brakes as they are now, not as they were at the proposal."""
    incident = site.incidents.get(order.incident)
    if not incident.status.holds:  # its stack may be another's by now
        raise Refused(f"{incident.id} is {incident.status} by now")
    if incident.attempt != order.attempt:
        raise Refused(f"attempt {incident.attempt} has taken over from attempt {order.attempt}")
    if workload.mode is not Mode.APPLY:
        raise Refused(f"{workload.name} is in mode {workload.mode} now")
    if not any(catalogue.allows(s, effects.change) for s in workload.settings):
        raise Refused(f"workloads.yaml does not allow {effects.change.words()} any more")
    now = site.clock()
    check(workload, now, site.brakes.engaged())
    limit = workload.limits.changes_per_day
    # By attempt: a second one is a second change, and the proposal counted the incident once.
    who = execution_name(order.incident, order.attempt)
    if not site.incidents.count_change(workload.name, day(now), limit, who):
        raise Braked(capped(workload))


if __name__ == "__main__":
    main()
