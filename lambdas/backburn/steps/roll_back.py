"""RollBack: apply the mirror of the approved steps, by the same approval."""

from __future__ import annotations

from collections.abc import Mapping

from backburn import applying, bundle, checkpoint, gate, patch, proposal, redrive, wiring
from backburn.applying import Site
from backburn.errors import BuildAnswer, Drifted, Refused
from backburn.exports import Order, answer
from backburn.patch import Files, Patch, PatchDoesNotFit
from backburn.preview import Step, canonical_plan, words
from backburn.proposal import Effects
from backburn.steps.propose_patch import program_files
from backburn.update import Update
from backburn.workload import Workload


def main() -> None:
    """Export what became of the rollback."""
    order = wiring.order()
    workload = wiring.workload(order.workload)
    site = wiring.site(workload)
    wiring.export(answer(lambda: roll_back(order, workload, site), ("locked", "half_applied")))


def roll_back(order: Order, workload: Workload, site: Site) -> Mapping[str, str]:
    """The build's answer."""
    effects = applying.approved(order, workload, site).effects
    digest = proposal.effects_digest(effects)
    version = site.artifacts.version(workload.program.bundle)
    files = program_files(workload, site.artifacts)
    earlier = applying.earlier(order, site.artifacts, "rollback", digest)
    original = _original(order, site, files, effects, earlier)
    update = _already_rolled_back(order, site, original, effects, earlier)
    if update is None:
        state = checkpoint.read(site.engine.export(original))
        gate.require_settled(state.pending)
        # The patched program need not preview clean: a circuit breaker of ECS may have taken
        # the service back already. What counts is that the way back is the approved one.
        raw, plan = site.engine.plan(original)
        foreseen = canonical_plan(raw, state.providers)
        _require_mirror(effects, foreseen.steps)
        if stopped := site.brakes.engaged():
            raise Refused(f"nothing may be changed now: {stopped}")
        update = applying.execute(
            order, site, "rollback", original, plan, foreseen.steps, state, digest
        )
    said = ""
    if bundle.sha256(files) != effects.bundle:
        said = applying.store_program(order, site, workload, original, version)
    reason = "; ".join(filter(None, (update.words(), said)))
    return {"OUTCOME": "rolled_back", "REASON": reason, "UPDATE": order.key("rollback")}


def _already_rolled_back(
    order: Order, site: Site, original: Files, effects: Effects, earlier: Update | None
) -> Update | None:
    """The update of an earlier run that did it all; HalfApplied if one did a part of it."""
    if earlier is None or earlier.result == "succeeded":
        return earlier
    if earlier.did_nothing:
        return None
    state, resource = checkpoint.read(site.engine.export(original)), effects.change.resource
    return redrive.finish(order, site, earlier, original, effects.mirror, state, resource)


def _original(
    order: Order, site: Site, files: Files, effects: Effects, earlier: Update | None
) -> dict[str, bytes]:
    """The program as it was before the patch, byte for byte."""
    if bundle.sha256(files) == effects.bundle:  # an earlier run stored it already
        return dict(files)
    edits = Patch.model_validate_json(site.artifacts.read(order.key("patch")))
    try:
        original = patch.unapplied(edits, files)
    except PatchDoesNotFit as wrong:
        raise _moved_on(f"the program is not the patched one any more: {wrong}", earlier) from wrong
    if bundle.sha256(original) != effects.bundle:
        said = "the program was changed since the patch: undo the patch by hand"
        raise _moved_on(said, earlier)
    return original


def _moved_on(said: str, earlier: Update | None) -> BuildAnswer:
    """Somebody was at work on the program; after a part of the rollback that is not all."""
    if earlier is None or earlier.did_nothing:
        return Drifted(said)
    return redrive.half_applied(earlier, said)


def _require_mirror(effects: Effects, steps: tuple[Step, ...]) -> None:
    mirror = effects.mirror
    if not redrive.same_steps(mirror, steps):
        raise Refused(
            f"rolling back would {', '.join(map(words, steps)) or 'do nothing'}; approved was "
            f"{', '.join(map(words, mirror))}"
        )


if __name__ == "__main__":
    main()
