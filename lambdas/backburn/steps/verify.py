"""Verify: one look at the SLI after the change; the number of looks was fixed before the first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from backburn import answers, queries, tally, wiring
from backburn.comparison import Look, Share, control
from backburn.evidence import Evidence
from backburn.incident import artifact_key
from backburn.ports import Telemetry
from backburn.sli import Window, slot_seconds, window_ending
from backburn.verdict import Verdict, judge
from backburn.workload import Workload

_LOOK_BACK = 600  # seconds before settling in which old and new revisions may be compared
_IN_FLIGHT_MS = 60_000  # a load balancer's idle timeout: what takes longer is cut off anyway


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Write and return this look's verdict, unless an earlier try already did."""
    artifacts = wiring.artifacts()
    incident, attempt, look = event["incident"], event["attempt"], event["look"]
    rollback = event.get("change") == "rollback"
    name = f"verdict-rollback-{look}" if rollback else f"verdict-{look}"
    key = artifact_key(incident, attempt, name)
    try:
        verdict = Verdict.model_validate_json(artifacts.read(key))
    except KeyError:
        evidence = artifacts.read(artifact_key(incident, attempt, "evidence"))
        workload = wiring.workloads().named(event["workload"])
        verdict = verify(
            workload,
            Evidence.model_validate_json(evidence),
            look,
            datetime.fromisoformat(event["settled_at"]),
            wiring.telemetry(),
            wiring.now(),
            rollback=rollback,
            others=wiring.workloads().beside(workload),
        )
        artifacts.write(key, verdict.model_dump_json(indent=1).encode())
    return {
        "verdict": verdict.verdict,
        "look": verdict.look,
        "looks_left": verdict.looks_left,
        "reason": verdict.reason,
        "before": _small(verdict.before),
        "after": _small(verdict.after),
        "artifact": key,
    }


def verify(
    workload: Workload,
    evidence: Evidence,
    look: int,
    settled_at: datetime,
    telemetry: Telemetry,
    now: datetime,
    *,
    rollback: bool = False,
    others: Sequence[Workload] = (),
) -> Verdict:
    """The verdict of one look: two query results, so `others` of the stack only as routes."""
    asked, burn = workload.verification, evidence.burn
    slo = telemetry.slo(workload.dataset, evidence.slo)
    columns = telemetry.columns(workload.dataset)
    until = now - timedelta(seconds=workload.windows.ingest_lag)

    whole, after = _windows(workload, settled_at, until)
    limits = {n.route: n.limit_ms for n in evidence.neighbours}
    query = queries.operations(workload, columns, after, limits, requests_only=True)
    found = telemetry.run(workload.dataset, query)
    requests = answers.operations(found, workload, columns)
    own = tally.route_requests(workload, requests)

    # A span arrives when it ends: the newest seconds know only the fast requests.
    running = timedelta(milliseconds=min(own.p99_ms, _IN_FLIGHT_MS) if own else 0)
    whole, judged = _windows(workload, settled_at, until - running)
    query = queries.sli_by_slot(workload, slo, columns, whole)
    series = answers.series(telemetry.run(workload.dataset, query), slo, whole)

    verdict = judge(
        Look(
            look=look,
            looks=asked.looks,
            alpha=asked.alpha,
            allowed=slo.allowed,
            before=burn.counts,
            before_window=burn.window,
            before_per_minute=burn.per_minute,
            before_revisions=burn.revisions,
            after=series,
            after_window=judged,
            neighbours=evidence.neighbours,
            neighbours_after=tally.neighbours(requests, limits),
            must_differ=not rollback,
            shortest=min(burn.p99_ms, _IN_FLIGHT_MS) / 1000,
        )
    )
    beside = control(
        series, burn.revisions, series.within(judged).revisions, asked.alpha / asked.looks
    )
    shown = {"p95_ms": own.p95_ms, "p99_ms": own.p99_ms} if own else {}
    unwatched = tuple(w.name for w in others if not _looked_at(w, workload, evidence))
    return verdict.model_copy(
        update={
            "reason": verdict.reason + _unwatched_text(unwatched),
            "unwatched": unwatched,
            "before": _with(verdict.before, p95_ms=burn.p95_ms, p99_ms=burn.p99_ms),
            "after": _with(verdict.after, **shown),
            "control": beside,
        }
    )


def _looked_at(other: Workload, workload: Workload, evidence: Evidence) -> bool:
    """Whether another workload's route is among the routes that a look compares."""
    routes = {workload.route.value, *(n.route for n in evidence.neighbours)}
    comparable = (other.dataset, other.route.column) == (workload.dataset, workload.route.column)
    return comparable and other.route.value in routes


def _unwatched_text(names: Sequence[str]) -> str:
    return f"; of the same stack, not looked at: {', '.join(names)}" if names else ""


def _windows(workload: Workload, settled_at: datetime, until: datetime) -> tuple[Window, Window]:
    """(with the rollout, from settled + drop on), both up to `until` and on the edges of slots."""
    since = settled_at + timedelta(seconds=workload.verification.drop)
    back = settled_at - timedelta(seconds=_LOOK_BACK)
    length = ceil((until - back).total_seconds())
    slot = slot_seconds(length)
    judged = int(Window(start=since, end=max(since, until)).seconds) // slot * slot
    return window_ending(until, length, slot), window_ending(until, judged, slot)


def _with(share: Share, **shown: float) -> Share:
    return share.model_copy(update=shown)


def _small(share: Share) -> dict[str, Any]:
    return {
        "requests": share.requests,
        "bad": share.bad,
        "share": round(share.share, 4),
        "lower": round(share.lower, 4),
        "upper": round(share.upper, 4),
        "p95_ms": share.p95_ms,
    }
