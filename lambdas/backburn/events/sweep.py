"""Every minute: finish what broke off, so that nothing recorded is lost (law 8).

One thing that fails does not stop the others; it fails the function at the end, which alarms.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from backburn import deciding, wiring
from backburn.alert import parse
from backburn.incident import Status
from backburn.ports import Approvals, Incidents, Mailer, Workflow
from backburn.routes.honeycomb_webhook import handle
from backburn.workload import Workloads

IN_HAND = timedelta(seconds=20)  # what is younger may still be handled by its own request
NO_OK = "measured well again; the alert's window passed without an OK, and nothing depends on it"
log = logging.getLogger("backburn")


class SweepIncomplete(Exception):
    """Something could not be finished; it is tried again in a minute."""


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """One sweep."""
    return sweep(
        wiring.workloads(),
        wiring.incidents(),
        wiring.approvals(),
        wiring.workflow(),
        wiring.mailer(),
        wiring.now(),
    )


def sweep(
    workloads: Workloads,
    incidents: Incidents,
    approvals: Approvals,
    workflow: Workflow,
    mailer: Mailer,
    now: datetime,
) -> dict[str, int]:
    """Settle deliveries, deliver decisions, close what awaits an OK no longer; how many of each."""
    failed: list[str] = []

    def settle(delivery: str, body: str) -> None:
        handle(delivery, parse(body.encode()), workloads, incidents, workflow, mailer, now)

    def deliver(execution: str) -> None:
        decision = approvals.decision(execution)
        if decision is not None:
            request = approvals.request(execution)
            deciding.deliver(request, decision, approvals, incidents, workflow, now)

    def close(incident: str) -> None:
        incidents.set_status(incident, Status.RECOVERED, NO_OK, now)

    deliveries = incidents.unsettled_deliveries(now - IN_HAND)
    decisions = approvals.undelivered(now - IN_HAND)
    waited = _waited(workloads, incidents, now)
    for delivery, body in deliveries:
        _try(f"delivery {delivery}", failed, settle, delivery, body)
    for execution in decisions:
        _try(f"decision of {execution}", failed, deliver, execution)
    for incident in waited:
        _try(f"incident {incident}", failed, close, incident)
    if failed:
        raise SweepIncomplete(f"not finished, tried again in a minute: {', '.join(failed)}")
    return {"deliveries": len(deliveries), "decisions": len(decisions), "closed": len(waited)}


def _try(what: str, failed: list[str], act: Callable[..., None], *arguments: str) -> None:
    try:
        act(*arguments)
    except Exception:
        log.exception("could not be finished: %s", what)
        failed.append(what)


def _waited(workloads: Workloads, incidents: Incidents, now: datetime) -> list[str]:
    """The incidents whose alert's own window has passed."""
    # The index lags: what it still lists may be at another attempt by now.
    return [
        incident
        for workload in workloads.workloads
        for incident in incidents.awaiting_ok(now - timedelta(seconds=workload.windows.alert))
        if (found := incidents.get(incident)).workload == workload.name
        and found.status is Status.AWAITING_OK
    ]
