"""The pages: they show what is there, and markup from telemetry stays text."""

from __future__ import annotations

from typing import Any

from tests.sandbox.honeycomb.conftest import DATASET, Api
from tests.sandbox.honeycomb.test_burn_alerts import build, requests

PLACE = f"/sandbox/environments/sandbox/datasets/{DATASET}"


def span(name: str, key: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    """A span of the one trace."""
    fields = {"name": name, "trace.trace_id": "t1", "trace.span_id": key, "duration_ms": 100.0}
    return fields | ({"trace.parent_id": parent} if parent else {}) | more


def test_the_trace_page_draws_the_tree(api: Api) -> None:
    """A bar for each span, children below their parents, failures in red."""
    api.send(span("root", "a"), ago=60)
    api.send(span("child", "b", "a", error=True), ago=59.95)
    api.send(span("orphan", "c", "gone"), ago=59.9)
    text = api.client.get(f"{PLACE}/trace?trace_id=t1").text
    assert text.count("<rect") == 3
    assert text.index("root (") < text.index("child (") < text.index("orphan (")
    assert text.count('fill="#b3261e"') == 1


def test_without_times_a_trace_is_searched_in_the_last_two_hours(api: Api) -> None:
    """An old one needs its times in the link."""
    api.send(span("root", "a"), ago=8000)
    start = int(api.clock.now - 8100)
    assert "No span" in api.client.get(f"{PLACE}/trace?trace_id=t1").text
    assert "<rect" in api.client.get(f"{PLACE}/trace?trace_id=t1&trace_start_ts={start}").text
    early = f"{PLACE}/trace?trace_id=t1&trace_start_ts={start - 900}"
    assert "No span" in api.client.get(early).text


def test_markup_in_telemetry_is_escaped(api: Api) -> None:
    """Span names come from strangers."""
    api.send(span("<script>alert(1)</script>", "a"))
    page = api.client.get(f"{PLACE}/trace?trace_id=t1")
    result = api.result({"breakdowns": ["name"]})
    for answer in (page, api.client.get(result["links"]["query_url"])):
        assert "<script>" not in answer.text
        assert "&lt;script&gt;" in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_result_page_says_the_query_in_words(api: Api) -> None:
    """Calculations, filters and range, and the table."""
    api.send({"name": "get", "duration_ms": 10.0})
    result = api.result(
        {
            "calculations": [{"op": "P95", "column": "duration_ms"}],
            "filters": [{"column": "name", "op": "=", "value": "get"}],
            "breakdowns": ["name"],
        }
    )
    text = api.client.get(result["links"]["query_url"]).text
    assert f"P95(duration_ms) of {DATASET}" in text
    assert "where name = &#34;get&#34;" in text
    assert "<td>get</td>" in text
    picture = api.client.get(result["links"]["graph_image_url"], follow_redirects=True)
    assert picture.status_code == 200


def test_a_result_links_its_traces(api: Api) -> None:
    """From a trace id in the table to its waterfall, with the times of the query."""
    api.send(span("root", "a", error=True))
    result = api.result({"breakdowns": ["trace.trace_id", "error"]})
    text = api.client.get(result["links"]["query_url"]).text
    assert "<td>true</td>" in text
    link = text.split('<td><a href="')[1].split('"')[0].replace("&amp;", "&")
    assert "<rect" in api.client.get(link).text


def test_the_slo_page_shows_budget_and_burn(api: Api) -> None:
    """As of now, without the API's lag."""
    made = build(api)
    requests(api, 98, 1, ago=60)
    text = api.client.get(f"{PLACE}/slo/{made['slo']['id']}").text
    assert "99 good, 1 bad" in text
    assert "98 good, 1 bad" in text
    assert "10.00 %" in text


def test_deliveries_and_the_start_page(api: Api) -> None:
    """A person finds everything from the start page."""
    made = build(api)
    api.client.post(f"/1/recipients/{made['recipient']['id']}/test")
    assert "failed" in api.client.get("/deliveries").text
    start = api.client.get("/").text
    assert "Fast enough" in start
    assert DATASET in start


def test_what_is_not_there_is_said_so(api: Api) -> None:
    """404, with a page."""
    for path in ("/result/x", "/slo/x", "/trace?trace_id=x&trace_start_ts=abc"):
        assert api.client.get(PLACE + path).status_code == 404
