"""What the real engine says a program would do, in a form that two runs can be compared by.

Source: one document of `pulumi preview --json --refresh --show-sames`. Whatever this module does
not know (an op, a key, a kind) is refused, never ignored: an unknown word may be a delete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, JsonValue

from .errors import Refused
from .inputs import DEFAULTS, at, holds_secret, is_token, keys_of, shown, value_of, without
from .workload import Model

Kind = Literal["add", "update", "delete", "add-replace", "update-replace", "delete-replace"]
Op = Literal["create", "update", "replace", "delete"]

KINDS = frozenset(Kind.__args__)  # type: ignore[attr-defined]
STILL = frozenset({"same", "read"})  # nothing is done; a read only looks
REFRESHED = "refresh"  # `--refresh` adds one for each resource
# One replacement is told in up to three steps; the engine decides the order.
REPLACED = frozenset({"replace", "create-replacement", "delete-replaced"})
CHANGED = frozenset({"create", "update", "delete"})

DOCUMENT_KEYS = frozenset(
    {"config", "steps", "diagnostics", "duration", "changeSummary", "maybeCorrupt"}
)
STEP_KEYS = frozenset(
    {"op", "urn", "provider", "oldState", "newState", "diffReasons", "replaceReasons"}
    | {"detailedDiff"}
)
DIFF_KEYS = frozenset({"kind", "inputDiff"})


class PathChange(Model):
    """One input path of a resource, old and new."""

    path: str
    kind: Kind
    before: JsonValue
    after: JsonValue


class Step(Model):
    """What happens to one resource."""

    urn: str
    op: Op
    type: str
    provider: str = Field(description="name and version, e.g. aws 7.51.1")
    paths: tuple[PathChange, ...]


class Plan(Model):
    """Everything that would happen, and everything that would not, by URN."""

    steps: tuple[Step, ...]
    same: tuple[str, ...]


def canonical_plan(document: Mapping[str, Any], providers: Mapping[str, str]) -> Plan:
    """The plan of one preview; `providers` maps provider URNs to name and version."""
    _known(document, DOCUMENT_KEYS, "preview")
    if document.get("maybeCorrupt"):
        raise Refused("the engine says that the stack's state may be corrupt")
    still: set[str] = set()
    changed: dict[str, list[Mapping[str, Any]]] = {}
    for step in document.get("steps") or []:
        _known(step, STEP_KEYS, "step")
        op, urn = step["op"], step["urn"]
        if op in STILL:
            still.add(urn)
        elif op in CHANGED | REPLACED:
            changed.setdefault(urn, []).append(step)
        elif op != REFRESHED:
            raise Refused(f"the preview has a step {op!r} on {short(urn)}, which we do not know")
    steps = tuple(_step(urn, changed[urn], providers) for urn in sorted(changed))
    return Plan(steps=steps, same=tuple(sorted(still - changed.keys())))


def mirror(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same resources and paths with from and to exchanged: what undoing does."""
    return tuple(
        s.model_copy(update={"paths": tuple(_exchanged(p) for p in s.paths)}) for s in steps
    )


def type_of(urn: str) -> str:
    """The resource's type, without its parents'."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    """The resource's logical name, which may itself hold `::`."""
    return urn.split("::", 3)[3]


def short(urn: str) -> str:
    """A URN as people read it: the last part of the type, and the name."""
    parts = urn.split("::", 3)
    return f"{type_of(urn).rsplit(':', 1)[-1]} {parts[3]}" if len(parts) == 4 else urn  # noqa: PLR2004


def words(step: Step) -> str:
    """One line for people."""
    moved = ", ".join(f"{p.path} {shown(p.before)} -> {shown(p.after)}" for p in step.paths)
    return f"{step.op} {short(step.urn)}" + (f": {moved}" if moved else "")


def in_words(steps: tuple[Step, ...], first: str) -> tuple[str, ...]:
    """A line for each step, that of the resource called `first` at the head."""
    return tuple(words(s) for s in sorted(steps, key=lambda s: name_of(s.urn) != first))


def _exchanged(path: PathChange) -> PathChange:
    # A token has no value of its own to go back to: rolling back, too, goes from one
    # revision of the task definition to one that is not known yet.
    if is_token(path.before) and is_token(path.after):
        return path
    swap = {"add": "delete", "delete": "add"}
    word, _, replaces = path.kind.partition("-")
    kind = swap.get(word, word) + (f"-{replaces}" if replaces else "")
    return PathChange.model_validate(
        {"path": path.path, "kind": kind, "before": path.after, "after": path.before}
    )


def _step(urn: str, told: list[Mapping[str, Any]], providers: Mapping[str, str]) -> Step:
    ops = {s["op"] for s in told}
    if len(told) > 1 and not ops <= REPLACED:
        raise Refused(f"{short(urn)} has steps that do not belong together: {sorted(ops)}")
    full = max(told, key=lambda s: ("oldState" in s) + ("newState" in s))
    op: Op = "replace" if ops <= REPLACED else full["op"]
    paths = () if op in {"create", "delete"} else tuple(_paths(urn, full))
    provider = full.get("provider", "")
    return Step(
        urn=urn,
        op=op,
        type=type_of(urn),
        provider=providers.get(provider.rsplit("::", 1)[0], ""),
        paths=paths,
    )


def _paths(urn: str, step: Mapping[str, Any]) -> Iterator[PathChange]:
    old, new = ((step.get(s) or {}).get("inputs") or {} for s in ("oldState", "newState"))
    diff = step.get("detailedDiff") or {}
    if not diff:
        raise Refused(f"the provider does not say which properties of {short(urn)} change")
    inputs = {path for path in diff if keys_of(path)[0] in old.keys() | new.keys()}
    # Outputs of a replaced resource (its ARN, its revision) are no effect of their own; if
    # nothing else differs, they are all there is to tell of a drift.
    for path in sorted(inputs or diff):
        _known(diff[path], DIFF_KEYS, f"diff of {short(urn)}")
        kind = diff[path]["kind"]
        if kind not in KINDS:
            raise Refused(f"{short(urn)}.{path}: we do not know a change of kind {kind!r}")
        root = keys_of(path)[0]
        if holds_secret(old.get(root)) or holds_secret(new.get(root)):
            raise Refused(f"{short(urn)}.{path} holds a secret and would change")
        yield PathChange(path=path, kind=kind, before=at(old, path), after=at(new, path))
    told = {keys_of(path)[0] for path in diff}
    # A provider may name one place within an input and change another beside it.
    old_rest, new_rest = without(old, diff), without(new, diff)
    for key in sorted((old.keys() | new.keys()) & told):
        if value_of(old_rest.get(key)) != value_of(new_rest.get(key)):
            before, after = value_of(old.get(key)), value_of(new.get(key))
            yield PathChange(path=key, kind="update", before=before, after=after)
    for key in sorted((old.keys() | new.keys()) - told - {DEFAULTS}):
        if value_of(old.get(key)) != value_of(new.get(key)):
            raise Refused(f"{short(urn)}.{key} differs, but the provider does not say so")


def _known(value: Mapping[str, Any], keys: frozenset[str], what: str) -> None:
    if unknown := sorted(value.keys() - keys):
        raise Refused(f"the {what} says {', '.join(unknown)}, which we do not know")
