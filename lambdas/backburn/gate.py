"""Law 3: a patch does exactly what it says, or it is refused.

The gate is a list of what must be there, not of what must not: whatever the change and its
follow-on steps do not name is refused, a delete, a role, a network and a database with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import JsonValue

from .catalogue import CATALOGUE, FollowOn, Setting
from .change import Change
from .checkpoint import Checkpoint
from .errors import Drifted, Refused
from .inputs import UNKNOWN, is_token
from .preview import Plan, Step, name_of, short, words

FEW = 5  # differences named in a sentence


def require_clean(plan: Plan) -> None:
    """Drifted unless the unpatched program would change nothing."""
    if plan.steps:
        raise Drifted(
            f"the program is not what is deployed; without any patch it would "
            f"{_listed(plan.steps)}: deploy or revert that first"
        )


def require_settled(pending: tuple[str, ...]) -> None:
    """Refused if an interrupted update left operations in the stack's state."""
    if pending:
        raise Refused(
            f"an interrupted update left {', '.join(pending[:FEW])} pending in the stack's state: "
            f"look for it in AWS, then `pulumi refresh`"
        )


def require_unmoved(before: Checkpoint, after: Checkpoint) -> None:
    """Drifted if the stack's state moved while it was previewed."""
    if before.sha256 != after.sha256:
        raise Drifted("the stack's state moved while the patch was previewed: try again")


def require_suited(change: Change, state: Checkpoint) -> None:
    """Refused if the setting is not made for the resource, or would delete what it replaces."""
    setting = CATALOGUE[change.setting]
    inputs = state.resources.get(state.urn(change.resource) or "", {})
    name, value = setting.needs
    if value not in (inputs.get(name) or ()):
        raise Refused(f"{change.resource.name} has no {value} in {name}: {setting.name} is for it")
    if inputs.get(setting.keeps) is not True:
        raise Refused(
            f"replacing {change.resource.name} would delete what is deployed now: set "
            f"{setting.keeps} on it (skip_destroy=True in Python) and deploy that first"
        )


def judge(change: Change, unpatched: Plan, patched: Plan) -> None:
    """Refused unless the patched program does the change, its follow-on steps, nothing else."""
    require_clean(unpatched)
    setting = CATALOGUE[change.setting]
    main = _only(
        (s for s in patched.steps if _is_meant(s, change)),
        f"the patch would not change {change.resource.name} ({change.resource.type}); perhaps "
        f"`ignoreChanges` or a transformation owns it",
        f"several resources are {change.resource.name}",
    )
    _require_moves(main, change, setting)
    rest = [s for s in patched.steps if s is not main]
    for follow_on in setting.follow_on:
        step = _only(
            (s for s in rest if s.type == follow_on.type),
            f"nothing would use the changed {change.resource.name}: no {follow_on.type} changes",
            f"several resources of type {follow_on.type} would change, not one",
        )
        _require_follow_on(step, follow_on)
        rest.remove(step)
    if rest:
        raise Refused(f"the patch would also {_listed(rest)}")
    told = set(patched.same) | {s.urn for s in patched.steps}
    if told != set(unpatched.same):
        raise Refused(
            f"resources come or go with the patch: "
            f"{', '.join(short(u) for u in sorted(told ^ set(unpatched.same))[:FEW])}"
        )


def _is_meant(step: Step, change: Change) -> bool:
    return step.type == change.resource.type and name_of(step.urn) == change.resource.name


def _require_moves(step: Step, change: Change, setting: Setting) -> None:
    if step.op != setting.op:
        raise Refused(f"the patch would {step.op} {short(step.urn)}, not {setting.op} it")
    meant = [(m.property, setting.kind, m.before, m.after) for m in change.moves]
    done = [(p.path, p.kind, _plain(p.before), _plain(p.after)) for p in step.paths]
    if sorted(done) != sorted(meant):
        raise Refused(f"the patch would {words(step)}; meant was {change.words()}")


def _require_follow_on(step: Step, follow_on: FollowOn) -> None:
    paths = {p.path: p.kind for p in step.paths}
    if step.op != follow_on.op or paths != dict(follow_on.paths):
        raise Refused(f"the patch would also {words(step)}")
    # The old value is a reference to the replaced resource and the new one is not known before
    # the apply; a value that is known already would be somebody else's edit.
    for path in step.paths:
        if not is_token(path.before) or path.after != UNKNOWN:
            raise Refused(f"{short(step.urn)}.{path.path} would not follow the changed resource")


def _only(steps: Iterable[Step], none: str, several: str) -> Step:
    found = list(steps)
    if len(found) != 1:
        raise Refused(several if found else none)
    return found[0]


def _plain(value: JsonValue) -> str:
    # A program may write a size as a number where the provider's schema has a string.
    is_plain = isinstance(value, (str, int)) and not isinstance(value, bool)
    return str(value) if is_plain else "no plain value"


def _listed(steps: Iterable[Step]) -> str:
    said = [words(s) for s in steps]
    more = f" and {len(said) - FEW} more" if len(said) > FEW else ""
    return ", ".join(said[:FEW]) + more
