"""What an earlier, interrupted run of the same build did: all of it, nothing, or a part (law 2)."""

from __future__ import annotations

from . import applying
from .applying import Site
from .checkpoint import Checkpoint
from .errors import Broken, HalfApplied, Refused
from .exports import Order
from .patch import Files
from .preview import Step, canonical_plan, words
from .update import Update, same_step
from .workload import Resource


def finish(
    order: Order,
    site: Site,
    update: Update,
    files: Files,
    steps: tuple[Step, ...],
    state: Checkpoint,
    resource: Resource,
) -> Update | None:
    """The update, if all of `steps` is done by now; None if nothing is; HalfApplied otherwise."""
    left = _left(site, update, files, state)
    if not state.pending and same_steps(steps, left):
        return None
    if state.pending or left or update.differences:
        still = ", ".join(state.pending + tuple(map(words, left))) or "nothing"
        raise half_applied(update, f"still open: {still}")
    outputs = state.outputs.get(state.urn(resource) or "", {})
    done = update.model_copy(
        update={
            "result": "succeeded",
            "ended": site.clock(),
            "executed": steps,
            "failed": (),
            "missing": (),
            "task_definition": str(outputs.get("arn", "")),
            "said": "found done after its build was interrupted",
        }
    )
    applying.record(order, site, done)
    site.incidents.note(order.incident, site.clock(), applying.state_of(update.kind), done.words())
    return done


def half_applied(update: Update, why: str) -> HalfApplied:
    """The answer of a build that found a part done."""
    return HalfApplied(f"an earlier run ended half-way: {update.words()}; {why}")


def same_steps(approved: tuple[Step, ...], left: tuple[Step, ...]) -> bool:
    """Whether what is left is the whole of what was approved."""
    return len(approved) == len(left) and all(map(same_step, approved, left))


def _left(site: Site, update: Update, files: Files, state: Checkpoint) -> tuple[Step, ...]:
    try:
        return canonical_plan(site.engine.preview(files), state.providers).steps
    except (Refused, Broken) as wrong:
        raise half_applied(update, f"what is left cannot be foreseen: {wrong}") from wrong
