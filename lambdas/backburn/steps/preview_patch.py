"""PreviewPatch: what the real engine says the patch would do, in a build that can only read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from backburn import bundle, checkpoint, cost, gate, patch, programs, wiring
from backburn.bundle import under
from backburn.change import Change
from backburn.checkpoint import Checkpoint
from backburn.errors import Refused
from backburn.exports import Order, answer
from backburn.patch import Files, Patch, PatchDoesNotFit
from backburn.ports import Artifacts, Engine
from backburn.preview import canonical_plan, in_words, mirror
from backburn.proposal import Bound, Preview, Tools
from backburn.steps.propose_patch import program_files
from backburn.workload import Program, Workload


class Foreseen(NamedTuple):
    """What would happen, and the plan that holds the engine to it."""

    bound: Bound
    checkpoint: Checkpoint
    plan: bytes


def main() -> None:
    """Write preview.json of this attempt, or export why there is none."""
    order = wiring.order()
    workload = wiring.workload(order.workload)
    artifacts, engine = wiring.artifacts(), wiring.engine(workload)
    work = partial(preview_patch, order, workload, artifacts, engine)
    wiring.export(answer(work, ("broken",)))


def preview_patch(
    order: Order, workload: Workload, artifacts: Artifacts, engine: Engine
) -> Mapping[str, str]:
    """The build's answer."""
    files = program_files(workload, artifacts)
    change = Change.model_validate_json(artifacts.read(order.key("change")))
    edits = Patch.model_validate_json(artifacts.read(order.key("patch")))
    foreseen = foresee(order, workload, files, change, edits, engine)
    preview = Preview(
        bound=foreseen.bound,
        cost=cost.of(change, foreseen.checkpoint),
        steps_in_words=in_words(foreseen.bound.steps, change.resource.name),
        rollback_in_words=in_words(foreseen.bound.mirror, change.resource.name),
    )
    key = order.key("preview")
    artifacts.write(key, preview.model_dump_json().encode())
    return {"OUTCOME": "previewed", "REASON": change.words(), "PREVIEW": key}


def foresee(
    order: Order,
    workload: Workload,
    files: Files,
    change: Change,
    edits: Patch,
    engine: Engine,
) -> Foreseen:
    """Everything an approval binds, read from the live world and through the gate (law 3)."""
    try:
        patched = patch.apply(edits, files)
    except PatchDoesNotFit as wrong:
        raise Refused(f"the program is not the one the patch was made for: {wrong}") from wrong
    program = workload.program
    state = checkpoint.read(engine.export(files))
    gate.require_settled(state.pending)
    # Previews take no lock and most of their time is the program's own start: side by side.
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(engine.preview, files)
        planned = pool.submit(engine.plan, patched)
        versions = pool.submit(engine.versions, files)
    unpatched = canonical_plan(asked.result(), state.providers)
    gate.require_clean(unpatched)
    document, plan = planned.result()
    foreseen = canonical_plan(document, state.providers)
    gate.judge(change, unpatched, foreseen)
    gate.require_suited(change, state)
    # A preview takes no lock: somebody else may have been at it while ours ran.
    gate.require_unmoved(state, checkpoint.read(engine.export(files)))
    bound = Bound(
        incident=order.incident,
        attempt=order.attempt,
        workload=workload.name,
        project=str(programs.project_of(files, program.directory)["name"]),
        stack=program.stack,
        backend=program.backend,
        bundle=bundle.sha256(files),
        lockfile=_sha256(files, program, "requirements.txt"),
        config=_sha256(files, program, f"Pulumi.{program.stack}.yaml"),
        tools=_tools(versions.result(), files, program, state),
        checkpoint=state.sha256,
        change=change,
        diff=edits.diff,
        patch=edits.sha256,
        steps=foreseen.steps,
        same=foreseen.same,
        mirror=mirror(foreseen.steps),
    )
    return Foreseen(bound, state, plan)


def _sha256(files: Files, program: Program, name: str) -> str:
    return hashlib.sha256(files.get(under(program.directory, name), b"")).hexdigest()


def _tools(versions: tuple[str, str], files: Files, program: Program, state: Checkpoint) -> Tools:
    cli, host = versions
    lockfile = files.get(under(program.directory, "requirements.txt"), b"").decode(errors="replace")
    found = re.search(r"^pulumi==([^\s;\\]+)", lockfile, re.MULTILINE)
    return Tools(
        cli=cli,
        host=host,
        sdk=f"pulumi {found[1]}" if found else "unknown",
        providers=tuple(sorted(set(state.providers.values()))),
    )


if __name__ == "__main__":
    main()
