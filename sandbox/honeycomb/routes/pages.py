"""What a person sees: the start page, and the page behind a result, a trace, an SLO."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.honeycomb import slo as slos
from sandbox.honeycomb.burn import is_triggered
from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.objects import Object
from sandbox.honeycomb.query import parse_query
from sandbox.honeycomb.scope import EVERYTHING, slug
from sandbox.honeycomb.standin import TEAM, StandIn
from sandbox.honeycomb.waterfall import spans, waterfall
from sandbox.honeycomb.words import in_words, moment

from .endpoint import Routes
from .page import missing, page

SHOWN_ROWS = 500
TWO_HOURS, TEN_MINUTES = 7_200, 600
Lines = list[dict[str, Any]]


async def index(request: Request) -> Response:
    """Datasets, SLOs, latest results."""
    standin: StandIn = request.app.state.standin
    sizes = dict(
        await asyncio.to_thread(
            standin.events.read, "SELECT dataset, count(*) FROM events GROUP BY dataset"
        )
    )
    datasets = [
        {"name": n, "columns": len(standin.events.columns(n)), "events": sizes.get(n, 0)}
        for n in standin.datasets().values()
    ]
    kept = [s | {"link": slo_link(standin, s)} for s in standin.objects.all("slo")]
    latest = standin.objects.all("result")[:-21:-1]
    results = [
        {"link": f"{_place(r)}/result/{r['id']}", "words": _words(r)[0], "at": moment(r["created"])}
        for r in latest
    ]
    return page(standin, "index", environment=TEAM, datasets=datasets, slos=kept, results=results)


async def result(request: Request) -> Response:
    """A query in words, and its table."""
    standin: StandIn = request.app.state.standin
    key = request.path_params["id"]
    kept = standin.objects.get("result", key) or standin.running.get(key)
    if kept is None:
        return missing(standin, f"query result {key}")
    query = parse_query(kept["query"])
    columns = [*query.breakdowns, *(one.key for one in query.asked())]
    data = [row["data"] for row in kept.get("data", {}).get("results", [])]
    rows = [[_cell(kept, name, row.get(name)) for name in columns] for row in data[:SHOWN_ROWS]]
    return page(
        standin,
        "result",
        id=key,
        words=_words(kept),
        complete=kept["complete"],
        error=kept.get("error"),
        columns=columns,
        rows=rows,
        more=max(len(data) - SHOWN_ROWS, 0),
    )


async def trace(request: Request) -> Response:
    """The waterfall of `?trace_id=`; without times only the last two hours are searched."""
    standin: StandIn = request.app.state.standin
    asked = request.query_params
    try:
        dataset = standin.dataset(request.path_params["dataset"])
        start, end = _searched(asked.get("trace_start_ts"), asked.get("trace_end_ts"), standin)
    except (ApiError, ValueError) as error:
        return missing(standin, str(error))
    trace_id = asked.get("trace_id", "")
    scope = standin.scope(dataset)
    found = await asyncio.to_thread(spans, standin.events, scope, dataset, trace_id, start, end)
    return page(
        standin,
        "trace",
        trace_id=trace_id,
        dataset=dataset,
        start=moment(start),
        end=moment(end),
        bars=waterfall(found),
    )


async def slo_page(request: Request) -> Response:
    """The budget, and the burn in each alert's window, as of now."""
    standin: StandIn = request.app.state.standin
    kept = standin.objects.get("slo", request.path_params["id"])
    if kept is None:
        return missing(standin, f"SLO {request.path_params['id']}")
    alerts = [a for a in standin.objects.all("burn_alert") if a["slo"]["id"] == kept["id"]]
    windows = [kept["time_period_days"] * slos.DAY, slos.BURN_RATE_SECONDS]
    windows += [alert["budget_rate_window_minutes"] * 60 for alert in alerts]
    period, recent, *burning = await asyncio.to_thread(
        slos.counts, standin.events, standin.objects, kept, standin.clock(), windows
    )
    lines: Lines = [
        {
            "id": alert["id"],
            "minutes": alert["budget_rate_window_minutes"],
            "count": count,
            "decrease": slos.decrease_per_million(count, period, kept) / 10_000,
            "threshold": alert["budget_rate_decrease_threshold_per_million"] / 10_000,
            "triggered": is_triggered(standin.objects, alert),
        }
        for alert, count in zip(alerts, burning, strict=True)
    ]
    derived = standin.objects.all("derived_column")
    alias = kept["sli"]["alias"]
    expression = next((one["expression"] for one in derived if one["alias"] == alias), "")
    return page(
        standin,
        "slo",
        slo=kept,
        expression=expression,
        period=period,
        detail=slos.detail(period, recent, kept),
        alerts=lines,
    )


async def snapshot(request: Request) -> Response:
    """Where Honeycomb has a picture of the graph, the result page is all there is."""
    return RedirectResponse(request.url.path.removesuffix("/snapshot"))


def slo_link(standin: StandIn, slo: Object) -> str:
    """The page of an SLO."""
    return f"{standin.pages}/datasets/{slug(slo['dataset_slugs'][0])}/slo/{slo['id']}"


def _searched(start: str | None, end: str | None, standin: StandIn) -> tuple[int, int]:
    now = int(standin.clock())
    if start is None:
        return now - TWO_HOURS, now + 1
    return int(start), int(end) + 1 if end is not None else int(start) + TEN_MINUTES


def _words(kept: Object) -> list[str]:
    query = parse_query(kept["query"])
    return in_words(query, kept["dataset"], kept["start"], kept["end"], kept["limit"])


def _place(kept: Object) -> str:
    base = f"/{TEAM}/environments/{TEAM}"
    return base if kept["path"] == EVERYTHING else f"{base}/datasets/{kept['path']}"


def _cell(kept: Object, name: str, value: Any) -> dict[str, Any]:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    cell: dict[str, Any] = {"number": number, "link": "", "text": value}
    if value is None or isinstance(value, bool):
        cell["text"] = "" if value is None else str(value).lower()
    elif isinstance(value, float):
        cell["text"] = round(value, 3)
    if name == "trace.trace_id" and value and kept["path"] != EVERYTHING:
        times = f"trace_start_ts={kept['start']}&trace_end_ts={kept['end']}"
        cell["link"] = f"{_place(kept)}/trace?trace_id={quote(str(value))}&{times}"
    return cell


ENVIRONMENT = "/{team}/environments/{environment}"
DATASET = ENVIRONMENT + "/datasets/{dataset}"
ROUTES: Routes = [
    Route("/", index),
    Route(ENVIRONMENT + "/result/{id}", result),
    Route(DATASET + "/result/{id}", result),
    Route(ENVIRONMENT + "/result/{id}/snapshot", snapshot),
    Route(DATASET + "/result/{id}/snapshot", snapshot),
    Route(DATASET + "/trace", trace),
    Route(DATASET + "/slo/{id}", slo_page),
]
