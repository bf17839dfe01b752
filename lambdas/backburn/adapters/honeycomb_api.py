"""Telemetry through Honeycomb's HTTP API (Query Data API: Enterprise plan)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from backburn.errors import HoneycombDenied, HoneycombRateLimited, HoneycombUnreachable
from backburn.telemetry import ROWS, Columns, Query, Rows, Slo

TIMEOUT = 20  # seconds for one call
_POLLS = (0.2, 0.3, 0.5, *[1.0] * 19)  # a run must finish in 10 s; twice that is patience enough
_TOO_MANY = 429
_OURS = range(400, 500)
_WAITS = (2.0, 4.0, 8.0, 16.0)  # seconds for a free place among ten a minute
# Meanings whose names differ from team to team, as the API calls them and as we do.
_DEFINITIONS = {
    "trace_id": "trace_id",
    "span_id": "span_id",
    "parent_id": "parent_id",
    "name": "name",
    "service_name": "service",
    "duration_ms": "duration_ms",
    "error": "error",
    "span_kind": "kind",
}


class HoneycombApi:
    """One environment, through a configuration key; the client knows its address."""

    def __init__(
        self, client: httpx.Client, key: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._headers = {"X-Honeycomb-Team": key}
        self._sleep = sleep

    def slo(self, dataset: str, slo: str) -> Slo:
        found = self._call("GET", f"/1/slos/{dataset}/{slo}")
        return Slo(
            id=slo,
            name=found.get("name") or slo,
            alias=found["sli"]["alias"],
            target_per_million=found["target_per_million"],
        )

    def columns(self, dataset: str) -> Columns:
        defined = self._call("GET", f"/1/dataset_definitions/{dataset}")
        names = {
            ours: defined[theirs]["name"]
            for theirs, ours in _DEFINITIONS.items()
            if defined.get(theirs) and defined[theirs].get("name")
        }
        listed = self._call("GET", f"/1/columns/{dataset}")
        return Columns(**names, present=frozenset(column["key_name"] for column in listed))

    def run(self, dataset: str, query: Query) -> Rows:
        created = self._call("POST", f"/1/queries/{dataset}", query.spec())
        result = self._start(dataset, created["id"])
        for pause in _POLLS:
            if result.get("complete"):
                if result.get("error"):
                    raise HoneycombDenied(
                        f"Honeycomb could not run query {created['id']}: {result['error']}"
                    )
                rows = tuple(row["data"] for row in result["data"].get("results") or ())
                return Rows(rows=rows, link=(result.get("links") or {}).get("query_url", ""))
            self._sleep(pause)
            result = self._call("GET", f"/1/query_results/{dataset}/{result['id']}")
        raise HoneycombUnreachable(
            f"Honeycomb did not finish query {created['id']} on {dataset} in {sum(_POLLS):.0f} s"
        )

    def _start(self, dataset: str, query: str) -> Any:
        """Create a query result, waiting a little for a free place.

        The limit is a rolling one: who comes back later asks everything again and uses up the
        places it waited for, who waits in place gets on.
        """
        asked = {
            "query_id": query,
            "disable_series": True,
            "disable_total_by_aggregate": True,
            "disable_other_by_aggregate": True,
            "limit": ROWS,
        }
        for pause in _WAITS:
            try:
                return self._call("POST", f"/1/query_results/{dataset}", asked)
            except HoneycombRateLimited:
                self._sleep(pause)
        return self._call("POST", f"/1/query_results/{dataset}", asked)

    def mark(self, dataset: str, message: str, at: datetime, url: str = "") -> None:
        marker = {"start_time": int(at.timestamp()), "message": message, "type": "remediation"}
        self._call("POST", f"/1/markers/{dataset}", marker | ({"url": url} if url else {}))

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body, headers=self._headers)
        except httpx.HTTPError as error:
            raise HoneycombUnreachable(
                f"Honeycomb cannot be reached for {method} {path}: {error}"
            ) from error
        if answer.is_success:
            return _json(answer, f"{method} {path}")
        said = f"Honeycomb answered {answer.status_code} to {method} {path}: {_words(answer)}"
        if answer.status_code == _TOO_MANY:
            raise HoneycombRateLimited(said)
        if answer.status_code in _OURS:
            raise HoneycombDenied(said)
        raise HoneycombUnreachable(said)


def _json(answer: httpx.Response, call: str) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise HoneycombUnreachable(f"Honeycomb's answer to {call} is no JSON") from error


def _words(answer: httpx.Response) -> str:
    """Honeycomb's own explanation: `{"error"}`, or problem+json with details per field."""
    try:
        body = answer.json()
    except ValueError:
        return answer.text[:300] or "no explanation"
    if not isinstance(body, dict):
        return str(body)[:300]
    words = [str(body[key]) for key in ("error", "title", "detail") if body.get(key)]
    words += [
        f"{d.get('field', '')}: {d.get('description', '')}" for d in body.get("type_detail") or ()
    ]
    return "; ".join(dict.fromkeys(words))[:600] or "no explanation"
