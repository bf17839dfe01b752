"""An Update: one run of `pulumi up`, and whether it did what was approved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import AwareDatetime, Field

from .errors import Refused
from .incident import artifact_key
from .inputs import UNKNOWN, is_token
from .preview import PathChange, Plan, Step, canonical_plan, short, type_of
from .workload import Model

if TYPE_CHECKING:
    from .ports import Artifacts

Event = Mapping[str, Any]  # one line of `pulumi up --json`
Kind = Literal["apply", "rollback"]
DOCUMENT = {"apply": "update", "rollback": "rollback"}
Result = Literal["started", "succeeded", "failed"]


class Run(NamedTuple):
    """What the engine told of one `pulumi up`."""

    ok: bool
    events: tuple[Event, ...]
    said: str  # the first error, short enough for a sentence


class Holder(Model):
    """Who runs an update: what a lock of the stack's state names its owner by."""

    build: str = Field(description="the CodeBuild build, empty outside of one")
    host: str
    pid: int


class Update(Model):
    """update.json and rollback.json: what was executed."""

    kind: Kind
    effects: str = Field(description="effects digest of the approved proposal")
    result: Result
    plan: str = Field(default="", description="sha256 of the plan the engine was held to")
    started: AwareDatetime
    ended: AwareDatetime | None = None
    holder: Holder | None = None
    earlier: tuple[Holder, ...] = Field(default=(), description="who tried before")
    executed: tuple[Step, ...] = ()
    failed: tuple[str, ...] = Field(default=(), description="URNs whose step failed")
    missing: tuple[str, ...] = Field(default=(), description="URNs approved but not touched")
    differences: tuple[str, ...] = ()
    task_definition: str = Field(default="", description="ARN that the service now runs")
    said: str = ""

    @property
    def did_nothing(self) -> bool:
        """Whether it ended and is known not to have touched anything."""
        touched = self.executed or self.failed or self.differences
        return self.result == "failed" and not touched

    def words(self) -> str:
        """What was done and what was not, for the timeline."""
        if self.result == "started":
            return "it was interrupted, and what it applied is not recorded"
        done = ", ".join(f"{s.op} {short(s.urn)}" for s in self.executed) or "nothing"
        parts = [f"{'applied' if self.kind == 'apply' else 'rolled back'}: {done}"]
        if self.failed:
            parts.append(f"failed: {', '.join(short(u) for u in self.failed)}")
        if self.missing:
            parts.append(f"not applied: {', '.join(short(u) for u in self.missing)}")
        if self.differences:
            parts.append(f"other than approved: {'; '.join(self.differences)}")
        return "; ".join([*parts, self.said] if self.said else parts)

    def told(self) -> str:
        """The same for whoever must go on from there."""
        if self.result == "started":
            doubt = "it was begun and its end is not recorded: look at the stack first"
            return f"{self.kind}: {doubt}"
        return f"{self.kind}: {self.words()}"


def recorded(artifacts: Artifacts, incident: str, attempt: int) -> tuple[Update, ...]:
    """What the builds of an attempt have done to the world, as they wrote it down."""
    found = []
    for name in DOCUMENT.values():
        try:
            data = artifacts.read(artifact_key(incident, attempt, name))
        except KeyError:
            continue
        found.append(Update.model_validate_json(data))
    return tuple(found)


def standing(updates: tuple[Update, ...]) -> tuple[Update, ...]:
    """Those of an attempt that left the world another than they found it."""
    done = tuple(update for update in updates if not update.did_nothing)
    undone = done and (done[-1].kind, done[-1].result) == ("rollback", "succeeded")
    return () if undone else done


def finished(
    started: Update,
    run: Run,
    approved: tuple[Step, ...],
    providers: Mapping[str, str],
    now: AwareDatetime,
) -> Update:
    """The update once its run has ended, compared with what was approved."""
    failed = tuple(sorted({_metadata(e)["urn"] for e in run.events if "resOpFailedEvent" in e}))
    try:
        executed = _plan(run.events, providers).steps
        unknown: tuple[str, ...] = ()
    except Refused as refused:  # it has been done already: say so, do not stop here
        executed, unknown = (), (str(refused),)
    touched = {s.urn for s in executed} | set(failed)
    differences = unknown + tuple(_differences(approved, executed))
    ok = run.ok and not failed and not differences
    return started.model_copy(
        update={
            "result": "succeeded" if ok and touched == {s.urn for s in approved} else "failed",
            "ended": now,
            "executed": executed,
            "failed": failed,
            "missing": tuple(s.urn for s in approved if s.urn not in touched),
            "differences": differences,
            "task_definition": _task_definition(run.events),
            "said": run.said,
        }
    )


def same_step(approved: Step, executed: Step) -> bool:
    """Whether a step is the approved one; what was unknown then may be known by now."""
    if len(approved.paths) != len(executed.paths):
        return False
    known = tuple(_known_now(a, e) for a, e in zip(approved.paths, executed.paths, strict=True))
    return approved == executed.model_copy(update={"paths": known})


def _known_now(approved: PathChange, executed: PathChange) -> PathChange:
    if approved.after == UNKNOWN and is_token(executed.after):
        return executed.model_copy(update={"after": approved.after})
    return executed


def _differences(approved: Iterable[Step], executed: Iterable[Step]) -> Iterable[str]:
    meant = {s.urn: s for s in approved}
    for step in executed:
        if step.urn not in meant:
            yield f"{step.op} {short(step.urn)}"
        elif not same_step(meant[step.urn], step):
            yield f"{step.op} {short(step.urn)} with other values"


def _plan(events: Iterable[Event], providers: Mapping[str, str]) -> Plan:
    return canonical_plan({"steps": [_as_step(_metadata(e)) for e in _done(events)]}, providers)


def _done(events: Iterable[Event]) -> Iterable[Event]:
    # A replacement is told as create-replacement, replace, delete-replaced; a component's
    # outputs as one more `same`.
    return (e for e in events if "resOutputsEvent" in e)


def _metadata(event: Event) -> Mapping[str, Any]:
    told = event.get("resOutputsEvent") or event.get("resOpFailedEvent") or {}
    metadata: Mapping[str, Any] = told["metadata"]
    return metadata


def _as_step(metadata: Mapping[str, Any]) -> dict[str, Any]:
    diff = {
        path: {"kind": told["diffKind"], "inputDiff": told.get("inputDiff", False)}
        for path, told in (metadata.get("detailedDiff") or {}).items()
    }
    step = {"op": metadata["op"], "urn": metadata["urn"], "detailedDiff": diff}
    step |= {"provider": metadata.get("provider", "")}
    states = {"oldState": metadata.get("old"), "newState": metadata.get("new")}
    return step | {name: state for name, state in states.items() if state}


def _task_definition(events: Iterable[Event]) -> str:
    for event in _done(events):
        metadata = _metadata(event)
        outputs = (metadata.get("new") or {}).get("outputs") or {}
        if type_of(metadata["urn"]).endswith(":TaskDefinition") and outputs.get("arn"):
            arn = str(outputs["arn"])
            if metadata["op"] in {"create-replacement", "replace", "create"}:
                return arn
    return ""
