from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from backburn import answers, queries, rules
from backburn.adapters.honeycomb_api import HoneycombApi
from backburn.diagnosis import Cause
from backburn.errors import HoneycombDenied, HoneycombRateLimited, HoneycombUnreachable
from backburn.evidence import Kind
from backburn.ports import Telemetry
from backburn.sli import Counts, Window
from backburn.steps.query_traces import Measuring
from backburn.telemetry import Calculation, Query
from sandbox.honeycomb.app import create_app
from sandbox.honeycomb.seed import plant
from sandbox.honeycomb.standin import StandIn
from tests.fakes.honeycomb_http import HoneycombHttp
from tests.fakes.metrics import FakeMetrics
from tests.fakes.otlp import export_request
from tests.fakes.patient import CHAT_LATENCY, chatbot
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.traffic import SERVICE, SLI, Chat, requests

# No window of these lies on whole minutes, which is what Honeycomb cuts queries to.
START = datetime(2026, 11, 24, 12, 0, 17, tzinfo=UTC)
BASELINE = Window(start=START, end=START + timedelta(seconds=60))
BURN = Window(start=BASELINE.end, end=BASELINE.end + timedelta(seconds=60))
CHATBOT = chatbot()

Make = Callable[[FakeTelemetry], Telemetry]


def over_http(fake: FakeTelemetry) -> HoneycombApi:
    """The adapter, with the fake behind a transport."""
    transport = httpx.MockTransport(HoneycombHttp(fake))
    client = httpx.Client(transport=transport, base_url="https://api.test")
    return HoneycombApi(client, "key", sleep=lambda _: None)


@pytest.fixture(params=["fake", "http", "stand-in"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Give each telemetry the same events: in memory, over HTTP, and in the sandbox's Honeycomb."""
    with ExitStack() as stack:

        def stand_in(fake: FakeTelemetry) -> Telemetry:
            now = [BURN.end.timestamp() + 3600]
            standin = StandIn("http://testserver", clock=lambda: now[0])
            plant(standin, _seed(tmp_path))
            client = stack.enter_context(TestClient(create_app(standin, watch=False)))
            team = {"X-Honeycomb-Team": "key"}
            sent = client.post("/v1/traces", json=export_request(fake.events), headers=team)
            assert sent.status_code == 200

            def sleep(seconds: float) -> None:
                now[0] += seconds
                time.sleep(0.01)  # the query itself runs in real time

            return HoneycombApi(client, "key", sleep=sleep)

        yield {"fake": lambda fake: fake, "http": over_http, "stand-in": stand_in}[request.param]


def _seed(folder: Path) -> Path:
    slo = {"id": CHAT_LATENCY.id, "dataset": SERVICE, "name": CHAT_LATENCY.name}
    slo |= {"sli": {"alias": CHAT_LATENCY.alias}, "time_period_days": 30}
    slo |= {"target_per_million": CHAT_LATENCY.target_per_million}
    column = {"dataset": SERVICE, "alias": CHAT_LATENCY.alias, "expression": SLI}
    file = folder / "seed.json"
    file.write_text(json.dumps({"derived_columns": [column], "slos": [slo]}))
    return file


def traffic(*during: Chat) -> FakeTelemetry:
    """A healthy minute with another route beside, then a minute of what is given."""
    fake = FakeTelemetry(CHAT_LATENCY, SLI, requests(BASELINE, 2, Chat()))
    fake.events += requests(BASELINE, 1, Chat(route="/api/ingest", revision=None))
    fake.events += requests(BURN, 2, *during)
    fake.events += requests(BURN, 1, Chat(route="/api/ingest", model_ms=2000, revision=None))
    return fake


class TestTelemetry:
    """What every Telemetry does."""

    def test_knows_the_slo(self, make: Make) -> None:
        """The SLI's column and the target come from the SLO's owner."""
        assert make(traffic()).slo(SERVICE, "chat-latency") == CHAT_LATENCY

    def test_refuses_an_unknown_slo(self, make: Make) -> None:
        """A wrong id is an operator's turn."""
        with pytest.raises(HoneycombDenied, match="nothing-here"):
            make(traffic()).slo(SERVICE, "nothing-here")

    def test_knows_the_columns(self, make: Make) -> None:
        """The names of the roles, and which columns there are."""
        columns = make(traffic()).columns(SERVICE)
        assert (columns.span_id, columns.kind) == ("trace.span_id", "span.kind")
        assert {"http.target", "aws.ecs.task.revision"} <= columns.present
        assert "error" not in columns.present

    def test_refuses_an_unknown_column(self, make: Make) -> None:
        """Honeycomb's own words reach the operator."""
        query = Query(window=BURN, calculations=(Calculation(op="COUNT"),), breakdowns=("no.such",))
        with pytest.raises(HoneycombDenied, match=r"no\.such"):
            make(traffic()).run(SERVICE, query)

    def test_counts_good_and_bad_to_the_second(self, make: Make) -> None:
        """Windows that Honeycomb would cut to the minute are counted whole and alone."""
        telemetry = make(traffic(Chat(model_ms=2000), Chat(revision="8")))
        columns = telemetry.columns(SERVICE)
        query = queries.sli_by_slot(CHATBOT, CHAT_LATENCY, columns, BURN)
        rows = telemetry.run(SERVICE, query)
        series = answers.series(rows, CHAT_LATENCY, BURN)
        assert series.counts == Counts(good=60, bad=60)
        assert series.within(BURN) == series
        assert set(series.revisions) == {"7", "8"}
        assert rows.link.startswith("http")

    def test_sums_up_operations(self, make: Make) -> None:
        """Calls, failures and the share over a limit, by operation and route."""
        telemetry = make(traffic(Chat(throttled=True), Chat()))
        columns = telemetry.columns(SERVICE)
        limits = {"/api/ingest": 1000.0}
        rows = telemetry.run(SERVICE, queries.operations(CHATBOT, columns, BURN, limits))
        found = {(o.name, o.route): o for o in answers.operations(rows, CHATBOT, columns)}
        chat, ingest = found["POST", "/api/chat"], found["POST", "/api/ingest"]
        assert (chat.calls, chat.failed, chat.begins) == (120, 60, True)
        assert (ingest.calls, ingest.failed, ingest.over) == (60, 0, 60)
        assert ingest.p95_ms == pytest.approx(2150, rel=0.06)
        assert not found["rag.vector_search", None].begins

    def test_finds_whole_traces(self, make: Make) -> None:
        """A sample of bad requests, and every span of theirs with its start."""
        telemetry = make(traffic(Chat(model_ms=2000), Chat()))
        columns = telemetry.columns(SERVICE)
        rows = telemetry.run(SERVICE, queries.exemplars(CHATBOT, CHAT_LATENCY, columns, BURN))
        chosen = answers.choose(rows, CHAT_LATENCY, columns, bad=True, most=5)
        rows = telemetry.run(SERVICE, queries.whole_traces(columns, BURN, chosen))
        spans = answers.spans(rows, columns)
        assert (len(chosen), len(spans)) == (5, 20)
        (root, *_) = (s for s in spans if s.parent_id is None)
        model = next(s for s in spans if s.trace_id == root.trace_id and s.kind == "client")
        assert model.attributes["gen_ai.system"] == "aws.bedrock"
        assert model.start_ms is not None
        assert root.start_ms is not None
        assert model.start_ms - root.start_ms == pytest.approx(90, rel=0.1)

    def test_carries_a_whole_diagnosis(self, make: Make) -> None:
        """The same evidence and the same cause, wherever it is asked."""
        telemetry = make(traffic(Chat(model_ms=2000)))
        metrics = FakeMetrics()
        metrics.publish(Kind.CPU, Window(start=BASELINE.start, end=BURN.end), 40)
        measuring = Measuring(CHATBOT, "chat-latency", telemetry, metrics)
        evidence = measuring.evidence(BURN, BASELINE)
        assert rules.reason(evidence).cause == Cause.DEPENDENCY_LATENCY
        assert [n.over for n in evidence.neighbours] == [60]

    def test_draws_a_marker(self, make: Make) -> None:
        """A moment on the dataset's graphs."""
        make(traffic()).mark(SERVICE, "chatbot-1: recovered", BURN.end, "https://example.com/1")


def answering(*responses: httpx.Response | Exception) -> HoneycombApi:
    """The adapter with a server that gives these answers in turn."""
    queue = list(responses)

    def app(_request: httpx.Request) -> httpx.Response:
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.Client(transport=httpx.MockTransport(app), base_url="https://api.test")
    return HoneycombApi(client, "key", sleep=lambda _: None)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (httpx.Response(429, json={"error": "rate limit"}), HoneycombRateLimited, "rate limit"),
        (httpx.Response(401, json={"error": "unknown API key"}), HoneycombDenied, "unknown API"),
        (httpx.Response(403, json={"title": "needs Enterprise"}), HoneycombDenied, "Enterprise"),
        (httpx.Response(404, json={"error": "dataset not found"}), HoneycombDenied, "not found"),
        (httpx.Response(422, text="no such thing"), HoneycombDenied, "no such thing"),
        (httpx.Response(503, json=[]), HoneycombUnreachable, "503"),
        (httpx.Response(200, text="<html>"), HoneycombUnreachable, "no JSON"),
        (httpx.ConnectError("refused"), HoneycombUnreachable, "refused"),
        (httpx.ReadTimeout("slow"), HoneycombUnreachable, "slow"),
    ],
)
def test_every_failure_has_its_class_and_honeycombs_words(
    answer: httpx.Response | Exception, error: type[Exception], said: str
) -> None:
    """Limits and outages are retried by the flow; a refusal is an operator's turn."""
    with pytest.raises(error, match=said):
        answering(answer).columns(SERVICE)


def test_a_problem_document_names_the_field() -> None:
    """Validation errors come as problem+json with details."""
    details = [{"field": "breakdowns[0]", "description": "unknown column"}]
    answer = httpx.Response(422, json={"title": "invalid", "type_detail": details})
    with pytest.raises(HoneycombDenied, match=r"breakdowns\[0\]: unknown column"):
        answering(answer).columns(SERVICE)


def test_a_query_that_never_ends_is_given_up() -> None:
    """Polling has a cap."""
    query = Query(window=BURN, calculations=(Calculation(op="COUNT"),))
    api = answering(httpx.Response(200, json={"id": "q1", "complete": False}))
    with pytest.raises(HoneycombUnreachable, match="did not finish"):
        api.run(SERVICE, query)


def test_a_query_that_honeycomb_cannot_run_is_denied() -> None:
    """A result may be complete and hold an error."""
    query = Query(window=BURN, calculations=(Calculation(op="COUNT"),))
    done = {"id": "q1", "complete": True, "error": "too much data", "data": {"results": []}}
    with pytest.raises(HoneycombDenied, match="too much data"):
        answering(httpx.Response(200, json=done)).run(SERVICE, query)


@pytest.mark.parametrize(("refusals", "served"), [(4, True), (5, False)])
def test_a_free_place_is_waited_for(refusals: int, served: bool) -> None:
    """Ten results a minute: somewhat busy is waited out, very busy is the flow's to retry."""
    query = Query(window=BURN, calculations=(Calculation(op="COUNT"),))
    full = httpx.Response(429, json={"error": "rate limit"})
    done = httpx.Response(200, json={"id": "r1", "complete": True, "data": {"results": []}})
    api = answering(httpx.Response(200, json={"id": "q1"}), *[full] * refusals, done)
    if served:
        assert api.run(SERVICE, query).rows == ()
    else:
        with pytest.raises(HoneycombRateLimited):
            api.run(SERVICE, query)
