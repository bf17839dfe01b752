"""QueryTraces: measure the burn window against the baseline, once per attempt.

At most eight query results are created (Honeycomb allows ten a minute for the whole team):
the SLI over time; all operations, before and during; a sample of requests, before and during;
and their whole traces, before and during.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from backburn import answers, queries, tally, wiring
from backburn.answers import Operation
from backburn.evidence import Evidence, Kind, Usage, use
from backburn.incident import artifact_key
from backburn.ports import Metrics, Telemetry
from backburn.sli import Series, Window, slot_seconds, window_ending
from backburn.telemetry import Columns, Slo
from backburn.traces.compare import origins, shifts
from backburn.traces.tree import Tree, trees
from backburn.workload import Workload

_TRACES = 20  # whole traces of each window
_SHOWN = 3  # of which are kept as exemplars
_BY_TRACES = (Kind.OWN_TIME, Kind.OPERATION, Kind.QUEUE, Kind.WAIT, Kind.ERRORS)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Write the evidence of this attempt, unless an earlier try already did."""
    workload = wiring.workloads().named(event["workload"])
    artifacts = wiring.artifacts()
    key = artifact_key(event["incident"], event["attempt"], "evidence")
    try:
        evidence = Evidence.model_validate_json(artifacts.read(key))
    except KeyError:
        opened = wiring.incidents().get(event["incident"]).opened
        burn, baseline = windows(workload, opened, event["attempt"], wiring.now())
        measuring = Measuring(workload, event["slo"], wiring.telemetry(), wiring.metrics())
        evidence = measuring.evidence(burn, baseline)
        artifacts.write(key, evidence.model_dump_json(indent=1).encode())
    return {"evidence": key, "numbers": evidence.headline(), "plan": plan(workload)}


def plan(workload: Workload) -> dict[str, int]:
    """The workload's own waiting times, for the workflow's Wait states and timeouts."""
    verification = workload.verification
    return {
        "approval_seconds": workload.approval_minutes * 60,
        "soak_seconds": verification.soak,
        "look_seconds": verification.every,
        "looks": verification.looks,
        "poll_seconds": verification.rollout_poll,
    }


def windows(
    workload: Workload, opened: datetime, attempt: int, now: datetime
) -> tuple[Window, Window]:
    """(burn, baseline): the burn window ends with the alert, for a later attempt with now."""
    lengths = workload.windows
    slot = slot_seconds(lengths.burn + lengths.gap + lengths.baseline)
    settled = now - timedelta(seconds=lengths.ingest_lag)
    burn = window_ending(min(opened, settled) if attempt == 1 else settled, lengths.burn, slot)
    before = min(opened - timedelta(seconds=lengths.gap), burn.start)
    return burn, window_ending(before, lengths.baseline, slot)


class Measuring:
    """One workload's SLO, and what its dataset calls things."""

    def __init__(
        self, workload: Workload, slo: str, telemetry: Telemetry, metrics: Metrics
    ) -> None:
        self._workload, self._telemetry, self._metrics = workload, telemetry, metrics
        self._slo: Slo = telemetry.slo(workload.dataset, slo)
        self._columns: Columns = telemetry.columns(workload.dataset)

    def evidence(self, burn: Window, baseline: Window) -> Evidence:
        """Everything measured about one burn: seven query results."""
        workload, slo = self._workload, self._slo
        series = self._series(Window(start=baseline.start, end=burn.end))
        onset = series.within(burn).onset()
        before, _ = self._operations(baseline, {})
        limits = tally.limits(workload, before)
        during, latency_link = self._operations(burn, limits)
        healthy, _ = self._traces(baseline, bad=False)
        burning, traces_link = self._traces(burn, bad=True)
        felt = Window(start=onset, end=burn.end) if onset else burn

        burn_side, baseline_side = (
            tally.side(workload, series, window, operations, len(sampled), self._usage(used))
            for window, operations, sampled, used in (
                (burn, during, burning, felt),
                (baseline, before, healthy, baseline),
            )
        )
        moved = shifts(healthy, burning)
        links = {
            **dict.fromkeys((Kind.BAD_SHARE, Kind.REQUESTS), series.link),
            Kind.LATENCY: latency_link,
            **dict.fromkeys(_BY_TRACES, traces_link),
        }
        return Evidence(
            workload=workload.name,
            service=workload.service,
            route=workload.route.value,
            slo=slo.id,
            slo_name=slo.name,
            allowed=slo.allowed,
            burn=burn_side,
            baseline=baseline_side,
            onset=onset,
            numbers=tally.numbers(
                workload.service, burn_side, baseline_side, moved, origins(healthy, burning), links
            ),
            shifts=moved,
            neighbours=tally.neighbours(during, limits),
            exemplars=tuple(span for tree in burning[-_SHOWN:] for span in tree.walk()),
        )

    def _series(self, window: Window) -> Series:
        query = queries.sli_by_slot(self._workload, self._slo, self._columns, window)
        rows = self._telemetry.run(self._workload.dataset, query)
        return answers.series(rows, self._slo, window)

    def _operations(
        self, window: Window, limits: dict[str, float]
    ) -> tuple[tuple[Operation, ...], str]:
        query = queries.operations(self._workload, self._columns, window, limits)
        rows = self._telemetry.run(self._workload.dataset, query)
        return answers.operations(rows, self._workload, self._columns), rows.link

    def _traces(self, window: Window, *, bad: bool) -> tuple[tuple[Tree, ...], str]:
        """Whole traces of some bad (or good) requests of the window, the fastest first."""
        dataset, columns = self._workload.dataset, self._columns
        query = queries.exemplars(self._workload, self._slo, columns, window)
        rows = self._telemetry.run(dataset, query)
        chosen = answers.choose(rows, self._slo, columns, bad=bad, most=_TRACES)
        if not chosen:
            return (), rows.link
        rows = self._telemetry.run(dataset, queries.whole_traces(columns, window, chosen))
        found = trees(answers.spans(rows, columns))
        return tuple(sorted(found, key=lambda tree: tree.root.duration_ms)), rows.link

    def _usage(self, window: Window) -> Usage:
        cpu, memory = (
            use(self._metrics.readings(self._workload.ecs, kind, window))
            for kind in (Kind.CPU, Kind.MEMORY)
        )
        return Usage(cpu=cpu, memory=memory)
