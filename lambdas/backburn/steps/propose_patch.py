"""ProposePatch: one small edit of the program's text, or why there is none."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from backburn import brakes, bundle, catalogue, patch, programs, wiring
from backburn.change import Change
from backburn.diagnosis import Diagnosis
from backburn.errors import Abstained, Braked, Observed, ProgramMissing, StackBusy
from backburn.incident import artifact_key
from backburn.patch import Files, Patch
from backburn.ports import Artifacts, Brakes, Incidents
from backburn.workload import AllowedSetting, Mode, Workload


class Proposed(NamedTuple):
    """What would be changed, and the text that says it."""

    change: Change
    patch: Patch
    stack: str  # project and stack: what only one incident may change at a time


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The state."""
    return propose_patch(
        event,
        wiring.workload(event["workload"]),
        wiring.artifacts(),
        wiring.incidents(),
        wiring.brakes(),
        wiring.now(),
    )


def propose_patch(
    event: dict[str, Any],
    workload: Workload,
    artifacts: Artifacts,
    incidents: Incidents,
    switch: Brakes,
    now: datetime,
) -> dict[str, Any]:
    """Write change and patch of this attempt; read the brakes and claim the stack first."""
    incident, attempt = event["incident"], event["attempt"]
    diagnosis = Diagnosis.model_validate_json(artifacts.read(event["diagnosis"]))

    proposed = propose(workload, diagnosis, program_files(workload, artifacts))
    if workload.mode is Mode.OBSERVE:
        raise Observed(f"would have proposed {proposed.change.words()}")

    # The day's changes are counted below, in one conditional write; here only what needs none.
    brakes.check(workload, now, switch.engaged())
    holder = incidents.claim_stack(proposed.stack, incident)
    if holder != incident:
        raise StackBusy(f"{holder} has a change in flight on {proposed.stack}: wait until it ends")
    limit = workload.limits.changes_per_day
    if not incidents.count_change(workload.name, brakes.day(now), limit, incident):
        raise Braked(brakes.capped(workload))

    key = artifact_key(incident, attempt, "patch")
    change = proposed.change
    artifacts.write(artifact_key(incident, attempt, "change"), change.model_dump_json().encode())
    artifacts.write(key, proposed.patch.model_dump_json().encode())
    return {
        "patch": key,
        "setting": change.setting,
        "resource": change.resource.name,
        "from": ", ".join(f"{m.property} {m.before}" for m in change.moves),
        "to": ", ".join(f"{m.property} {m.after}" for m in change.moves),
    }


def propose(workload: Workload, diagnosis: Diagnosis, files: Files) -> Proposed:
    """The next step of the setting that cures the cause; Abstained if there is none."""
    allowed = _allowed(workload, diagnosis)
    setting = catalogue.CATALOGUE[allowed.setting]
    program = workload.program
    places = programs.locate(
        files,
        program.directory,
        program.stack,
        allowed.resource,
        (setting.property, *setting.companions),
    )
    present = {name: place.value for name, place in places.items()}
    change = catalogue.resize(allowed, present, why=diagnosis.cause)
    project = programs.project_of(files, program.directory)["name"]
    return Proposed(
        change=change,
        patch=patch.make(files, programs.edits(places, change)),
        stack=f"{project}/{program.stack}",
    )


def _allowed(workload: Workload, diagnosis: Diagnosis) -> AllowedSetting:
    found = next((s for s in workload.settings if s.setting in diagnosis.cures), None)
    if found is None:
        raise Abstained(
            f"no setting that {workload.name} may change cures {diagnosis.cause}: "
            f"see `settings` in workloads.yaml"
        )
    return found


def program_files(workload: Workload, artifacts: Artifacts) -> dict[str, bytes]:
    """The program as it is in the bundle store now; ProgramMissing if there is none."""
    key = workload.program.bundle
    try:
        return bundle.unpack(artifacts.read(key))
    except KeyError:
        raise ProgramMissing(f"the artifacts bucket has no {key}: upload the program") from None
