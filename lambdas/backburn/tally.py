"""The measured pieces of one burn, written down as numbers that can be cited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .answers import Operation
from .evidence import Kind, Neighbour, Number, Side, Usage
from .queries import quotable
from .sli import Series, Window
from .traces.compare import Origin, Shift
from .workload import Workload

_OPERATIONS = 5  # own operations listed one by one
_CALLEES = 4
_NEIGHBOURS = 20
_FEWEST = 30  # requests of a neighbour; a P95 of fewer says little


def limits(workload: Workload, operations: Iterable[Operation]) -> dict[str, float]:
    """Route to the P95 of its requests, for the busiest other routes of the baseline."""
    found: dict[str, float] = {}
    for operation in sorted(operations, key=lambda o: -o.calls):
        route = operation.route or ""
        other = operation.begins and route != workload.route.value
        if other and operation.calls >= _FEWEST and quotable(route):
            found.setdefault(route, operation.p95_ms)
    return dict(list(found.items())[:_NEIGHBOURS])


def neighbours(
    operations: Iterable[Operation], limits: Mapping[str, float]
) -> tuple[Neighbour, ...]:
    """What those routes served: how many requests failed or were slower than their limit."""
    served: dict[str, list[Operation]] = {}
    for operation in operations:
        route = operation.route or ""
        if operation.begins and route in limits:
            served.setdefault(route, []).append(operation)
    return tuple(
        Neighbour(
            route=route,
            requests=sum(o.calls for o in found),
            over=sum(o.over for o in found),
            limit_ms=limits[route],
            p95_ms=max(found, key=lambda o: o.calls).p95_ms,
        )
        for route, found in served.items()
    )


def side(
    workload: Workload,
    series: Series,
    window: Window,
    operations: Iterable[Operation],
    traces: int,
    usage: Usage,
) -> Side:
    """One of the two windows: what the SLI counted, how fast the route was, what was used."""
    inside = series.within(window)
    own = route_requests(workload, operations)
    return Side(
        window=window,
        counts=inside.counts,
        revisions=inside.revisions,
        per_minute=series.per_minute(window),
        p50_ms=own.p50_ms if own else 0.0,
        p95_ms=own.p95_ms if own else 0.0,
        p99_ms=own.p99_ms if own else 0.0,
        usage=usage,
        traces=traces,
    )


def route_requests(workload: Workload, operations: Iterable[Operation]) -> Operation | None:
    """The workload's own requests among the operations: the busiest span that begins a trace."""
    own = [o for o in operations if o.begins and o.route == workload.route.value]
    return max(own, key=lambda o: o.calls, default=None)


def numbers(
    service: str,
    burn: Side,
    baseline: Side,
    shifts: Iterable[Shift],
    origins: Iterable[Origin],
    links: Mapping[Kind, str],
) -> tuple[Number, ...]:
    """All numbers in a fixed order, ids E1, E2, ...; the ones that matter most come first."""
    shifts = tuple(shifts)
    found = [
        *_requests(burn, baseline),
        *_usage(burn, baseline),
        *_time(service, shifts),
        *_errors(service, origins),
        *_operations(service, shifts),
    ]
    return tuple(
        number.model_copy(update={"id": f"E{place}", "link": links.get(number.kind, "")})
        for place, number in enumerate(found, start=1)
    )


def waits_on(place: Shift | Origin, service: str) -> str | None:
    """Who a place is charged to; None if to the service's own work."""
    return place.callee or (place.service if place.service != service else None)


def _requests(burn: Side, baseline: Side) -> Iterable[Number]:
    yield _number(Kind.BAD_SHARE, "bad requests", "share", burn.counts.share, baseline.counts.share)
    yield _number(Kind.REQUESTS, "requests", "1/min", burn.per_minute, baseline.per_minute)
    yield _number(Kind.LATENCY, "P95 of the route", "ms", burn.p95_ms, baseline.p95_ms)
    yield _number(Kind.LATENCY, "P99 of the route", "ms", burn.p99_ms, baseline.p99_ms)


def _usage(burn: Side, baseline: Side) -> Iterable[Number]:
    for kind, during, before in (
        (Kind.CPU, burn.usage.cpu, baseline.usage.cpu),
        (Kind.MEMORY, burn.usage.memory, baseline.usage.memory),
    ):
        if during is not None:
            mean = before.mean if before else None
            yield _number(kind, f"{kind.value} of the task, mean", "%", during.mean, mean)


def _time(service: str, shifts: Iterable[Shift]) -> Iterable[Number]:
    """Where a request's time goes: own work, and each callee's share of waiting."""
    grouped: dict[str | None, tuple[float, float]] = {None: (0.0, 0.0)}
    place: dict[str | None, Shift] = {}
    for shift in shifts:
        who = waits_on(shift, service)
        during, before = grouped.get(who, (0.0, 0.0))
        grouped[who] = (during + shift.burn.ms, before + shift.baseline.ms)
        place.setdefault(who, shift)
    own = grouped.pop(None)
    yield _number(Kind.OWN_TIME, "own work per request", "ms", *own, at=place.get(None))
    ranked = sorted(grouped.items(), key=lambda item: -(item[1][0] - item[1][1]))
    for who, (during, before) in ranked[:_CALLEES]:
        yield _number(
            Kind.WAIT,
            f"waiting on {who} per request",
            "ms",
            during,
            before,
            at=place[who],
            callee=who or "",
        )


def _errors(service: str, origins: Iterable[Origin]) -> Iterable[Number]:
    for at in list(origins)[:_CALLEES]:
        who = waits_on(at, service)
        what = f"requests with an error that began at {who or at.operation}"
        yield _number(Kind.ERRORS, what, "share", at.burn, at.baseline, at=at, callee=who or "")


def _operations(service: str, shifts: Iterable[Shift]) -> Iterable[Number]:
    """Own work by operation, that of the spans which begin a request last."""
    own = [s for s in shifts if waits_on(s, service) is None and s.extra_ms > 0]
    for shift in sorted(own, key=lambda s: s.begins)[:_OPERATIONS]:
        what = f"own {'or queueing ' if shift.begins else ''}time in {shift.operation}"
        kind = Kind.QUEUE if shift.begins else Kind.OPERATION
        yield _number(kind, what, "ms", shift.burn.ms, shift.baseline.ms, at=shift)


def _number(
    kind: Kind,
    what: str,
    unit: str,
    value: float,
    baseline: float | None,
    at: Shift | Origin | None = None,
    callee: str = "",
) -> Number:
    return Number(
        id="",
        kind=kind,
        what=what,
        value=value,
        unit=unit,
        baseline=baseline,
        service=at.service if at else "",
        operation=at.operation if at else "",
        callee=callee,
    )
