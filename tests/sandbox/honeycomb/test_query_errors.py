"""What the Query Data API refuses, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from sandbox.honeycomb.query import WEEK
from sandbox.honeycomb.standin import StandIn
from tests.sandbox.honeycomb.conftest import DATASET, NOW, Api, Clock, behind


@pytest.fixture
def library(server: tuple[Starlette, str], shared: tuple[StandIn, Clock]) -> Iterator[Api]:
    """The same, for tests that only read."""
    with behind(server, *shared) as api:
        if not api.standin.events.datasets():
            api.send({"name": "get", "duration_ms": 10.0})
        yield api


@pytest.fixture
def shop(api: Api) -> Api:
    """One event."""
    api.send({"name": "get", "duration_ms": 10.0})
    return api


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"calculations": [{"op": "HEATMAP", "column": "duration_ms"}]}, "HEATMAP"),
        ({"calculations": [{"op": "RATE_AVG", "column": "duration_ms"}]}, "RATE_AVG"),
        ({"calculations": [{"op": "CONCURRENCY"}]}, "CONCURRENCY"),
        ({"calculations": [{"op": "P98", "column": "duration_ms"}]}, "P98"),
        ({"calculations": [{"op": "AVG"}]}, "needs a column"),
        ({"calculations": [{"op": "COUNT"}, {"op": "COUNT"}]}, "same name"),
        ({"calculations": [{"op": "COUNT"}] * 101}, "calculations"),
        ({"filters": [{"column": "name", "op": "like", "value": "x"}]}, "like"),
        ({"filters": [{"column": "name", "op": "exists", "value": "x"}]}, "no value"),
        ({"filters": [{"column": "name", "op": "in", "value": "x"}]}, "list"),
        ({"filters": [{"column": "name", "op": "="}]}, "takes a string"),
        ({"breakdowns": ["nothing"]}, "unknown column 'nothing'"),
        ({"breakdowns": ["root.name"]}, "relational"),
        ({"orders": [{"column": "name"}]}, "not among the breakdowns"),
        ({"orders": [{"op": "SUM", "column": "duration_ms"}]}, "not among the calculations"),
        ({"limit": 1001}, "limit"),
        ({"limit": 0}, "limit"),
        ({"time_range": 60, "start_time": 1, "end_time": 2}, "at most one"),
        ({"start_time": 2, "end_time": 1}, "after start_time"),
        ({"time_range": 7200, "granularity": 7}, "granularity"),
        ({"breakdown": ["name"]}, "breakdown"),
        ({"calculated_fields": [{"name": "x", "expression": "LT($nothing, 1)"}]}, "nothing"),
        ({"calculated_fields": [{"name": "x", "expression": "LT($name"}]}, "expected"),
        ({"calculated_fields": [{"name": "x", "expression": "LT($x, 1)"}]}, "nested"),
        (
            {
                "calculated_fields": [
                    {"name": f"f{i}", "expression": f"SUM({', '.join([f'$f{i + 1}'] * 99)})"}
                    for i in range(5)
                ]
                + [{"name": "f5", "expression": "$duration_ms"}]
            },
            "complex",
        ),
    ],
)
def test_an_invalid_spec_is_a_422_that_names_the_fault(
    library: Api, spec: dict[str, Any], said: str
) -> None:
    """Bodies carry `error` and the fields of problem+json."""
    answer = library.query(spec)
    assert answer.status_code == 422
    assert said in answer.json()["error"]
    assert answer.json()["type"].endswith("validation-failed")
    assert said in answer.json()["type_detail"][0]["description"]


def test_a_column_can_be_queried_once_it_is_created(shop: Api) -> None:
    """A column no event carries is unknown; creating it by hand is the way out."""
    spec = {"filters": [{"column": "error", "op": "exists"}]}
    assert shop.query(spec).status_code == 422
    body = {"key_name": "error", "type": "boolean"}
    assert shop.client.post(f"/1/columns/{DATASET}", json=body).status_code == 201
    assert shop.rows(spec) == []
    shop.send({"error": True})
    assert shop.rows(spec) == [{"COUNT": 1}]


@pytest.mark.parametrize(
    "times",
    [
        {"time_range": WEEK + 1},
        {"start_time": int(NOW) - WEEK - 3600, "time_range": 3600},
    ],
)
def test_only_the_past_seven_days_can_be_run(shop: Api, times: dict[str, int]) -> None:
    """Creating such a query works, running it is a 400."""
    key = shop.query(times).json()["id"]
    answer = shop.client.post(f"/1/query_results/{DATASET}", json={"query_id": key})
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (400, "unparseable")


def test_a_whole_week_can_be_run(shop: Api) -> None:
    """Seven days are allowed."""
    assert shop.result({"time_range": WEEK})["complete"]


def test_the_eleventh_result_within_a_minute_is_refused_without_retry_after(shop: Api) -> None:
    """Ten a minute for each key; the refusal does not say until when."""
    body = {"query_id": shop.query({}).json()["id"]}
    path = f"/1/query_results/{DATASET}"
    assert [shop.client.post(path, json=body).status_code for _ in range(10)] == [201] * 10
    refused = shop.client.post(path, json=body)
    assert (refused.status_code, "retry-after" in refused.headers) == (429, False)
    other = {"X-Honeycomb-Team": "hcxlk_other"}
    assert shop.client.post(path, json=body, headers=other).status_code == 201
    shop.clock.now += 61
    assert shop.client.post(path, json=body).status_code == 201


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/1/queries/nowhere", {}),
        (f"/1/query_results/{DATASET}", {"query_id": "nothing"}),
    ],
)
def test_what_is_not_there_is_a_404(shop: Api, path: str, body: dict[str, Any]) -> None:
    """Dataset and query alike."""
    assert shop.client.post(path, json=body).status_code == 404


def test_a_query_runs_on_its_own_dataset_only(shop: Api) -> None:
    """Not on another one, and not on the environment."""
    body = {"query_id": shop.query({}).json()["id"]}
    assert shop.client.post("/1/query_results/__all__", json=body).status_code == 404


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"[" * 99_000, 400),
        (b'{"limit": NaN}', 400),
        (b'"' + b"x" * 100_001 + b'"', 413),
    ],
)
def test_bodies_that_cannot_be_read(shop: Api, content: bytes, status: int) -> None:
    """Not JSON is 400, above 100,000 bytes 413."""
    assert shop.client.post(f"/1/queries/{DATASET}", content=content).status_code == status


@pytest.mark.parametrize("key", ["", "revoked", "hcxik_ingest", "hcxmk_management"])
def test_only_configuration_keys_may_use_the_api(shop: Api, key: str) -> None:
    """Missing, revoked, ingest and management keys are 401."""
    shop.standin.revoked.add("revoked")
    answer = shop.client.get("/1/datasets", headers={"X-Honeycomb-Team": key})
    assert answer.status_code == 401
    assert answer.json()["error"]


def test_other_operations_are_limited_too_and_say_until_when(shop: Api) -> None:
    """A hundred a minute each, with Retry-After as a date."""
    left = shop.client.get("/1/auth").headers["RateLimit"]
    assert left == "limit=100, remaining=99, reset=60"
    for _ in range(99):
        shop.standin.limits.take("hcxlk_test", "GET /1/auth")
    refused = shop.client.get("/1/auth")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"].endswith("GMT")
    assert shop.client.get("/1/datasets").status_code == 200
