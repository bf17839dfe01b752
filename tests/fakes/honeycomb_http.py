"""Honeycomb's API in the shape that httpx.MockTransport takes, answered by a FakeTelemetry."""

from __future__ import annotations

import json
from typing import Any

import httpx

from backburn.errors import HoneycombDenied
from tests.fakes.telemetry import FakeTelemetry


class HoneycombHttp:
    """A function of a request. A result is complete when it is asked for the second time."""

    def __init__(self, telemetry: FakeTelemetry) -> None:
        self.telemetry = telemetry
        self.markers: list[dict[str, Any]] = []
        self._queries: dict[str, dict[str, Any]] = {}
        self._asked: dict[str, int] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if request.headers.get("X-Honeycomb-Team") != "key":
            return httpx.Response(401, json={"error": "unknown API key - check your credentials"})
        body = json.loads(request.content) if request.content else {}
        try:
            answer = self._answer(request.method, request.url.path.split("/")[2:], body)
        except HoneycombDenied as denied:
            return httpx.Response(422, json={"error": str(denied)})
        return httpx.Response(200, json=answer)

    def _answer(self, method: str, path: list[str], body: dict[str, Any]) -> Any:
        match method, path:
            case "GET", ["slos", dataset, slo]:
                found = self.telemetry.slo(dataset, slo)
                target = found.target_per_million
                answer: Any = {"id": slo, "name": found.name, "target_per_million": target}
                answer["sli"] = {"alias": found.alias}
            case "GET", ["dataset_definitions", dataset]:
                answer = self._definitions(dataset)
            case "GET", ["columns", dataset]:
                present = sorted(self.telemetry.columns(dataset).present)
                answer = [{"key_name": name} for name in present]
            case "POST", ["queries", _]:
                answer = {**body, "id": f"q{len(self._queries)}"}
                self._queries[answer["id"]] = body
            case "POST", ["query_results", _]:
                answer = self._result(body["query_id"])
            case "GET", ["query_results", _, result]:
                answer = self._result(result.removeprefix("r-"))
            case "POST", ["markers", _]:
                self.markers.append(body)
                answer = body
            case _:
                raise HoneycombDenied(f"no route {method} {path}")
        return answer

    def _definitions(self, dataset: str) -> dict[str, Any]:
        present = self.telemetry.columns(dataset).present
        roles = {"span_id": "trace.span_id", "error": "error", "span_kind": "span.kind"}
        return {
            role: {"name": name, "column_type": "column"}
            for role, name in roles.items()
            if name in present
        }

    def _result(self, query: str) -> dict[str, Any]:
        seen = self._asked[query] = self._asked.get(query, 0) + 1
        if seen == 1:
            return {"id": f"r-{query}", "complete": False}
        rows = self.telemetry.answer(self._queries[query])
        return {
            "id": f"r-{query}",
            "complete": True,
            "data": {"results": [{"data": row} for row in rows]},
            "links": {"query_url": f"https://ui.test/result/{query}"},
        }
