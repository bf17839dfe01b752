"""ConfirmBurn: approved; go on only if it still burns and no brake is on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from backburn import answers, brakes, queries, wiring
from backburn.errors import BurnEnded
from backburn.ports import Telemetry
from backburn.sli import Counts, Window, slot_seconds, window_ending
from backburn.workload import Workload

_RECENT = 3  # the last third of the window must burn too: the rest may be over already


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Raise Braked or BurnEnded, or return what was measured; one query result."""
    workload = wiring.workloads().named(event["workload"])
    now = wiring.now()
    # ApplyPatch counts the change against the day's cap; here only what can stop it at once.
    brakes.check(workload, now, wiring.brakes().engaged())
    counts, allowed, link = confirm_burn(workload, event["slo"], wiring.telemetry(), now)
    return {
        "burning": True,
        "bad": counts.bad,
        "requests": counts.total,
        "share": round(counts.share, 4),
        "allowed": round(allowed, 6),
        "link": link,
    }


def confirm_burn(
    workload: Workload, slo_id: str, telemetry: Telemetry, now: datetime
) -> tuple[Counts, float, str]:
    """The latest counts, what the SLO allows and a link; BurnEnded if it is not above that."""
    lengths = workload.windows
    slot = slot_seconds(lengths.burn)
    window = window_ending(now - timedelta(seconds=lengths.ingest_lag), lengths.burn, slot)
    recent = window_ending(window.end, lengths.burn // _RECENT, slot)
    slo = telemetry.slo(workload.dataset, slo_id)
    query = queries.sli_by_slot(workload, slo, telemetry.columns(workload.dataset), window)
    series = answers.series(telemetry.run(workload.dataset, query), slo, window)
    for part in (window, recent):
        counts = series.within(part).counts
        if counts.share <= slo.allowed:
            raise BurnEnded(_said(part, counts, slo.allowed))
    return series.within(window).counts, slo.allowed, series.link


def _said(window: Window, counts: Counts, allowed: float) -> str:
    if not counts.total:
        return f"no counted request in the last {window.seconds:.0f} s: nothing shows a burn"
    return (
        f"{counts.bad} of {counts.total} requests were bad in the last {window.seconds:.0f} s"
        f" ({counts.share:.2%}), which is within the {allowed:.2%} that the SLO allows"
    )
