"""The load keeps its arrival rate whatever the service makes of it."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from chatbot.latency import Seen, bad, percentile
from chatbot.load import Load
from chatbot.traffic import CHAT, QUESTIONS, call
from tests.fakes.http_server import serving

PATIENCE = 20.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for it, within reason."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def test_arrivals_do_not_wait_for_answers() -> None:
    """While nothing at all is answered requests go on arriving, and give up at the limit."""
    let = threading.Event()

    def silent(_: httpx.Request) -> httpx.Response:
        let.wait(PATIENCE)
        return httpx.Response(200)

    with serving(silent) as url, Load(url, 100, max_in_flight=5) as load:
        until(lambda: load.figures().given_up >= 20)
        figures = load.figures()
        let.set()
    assert figures.in_flight == 5
    assert figures.chats == 0
    assert figures.arrived == figures.given_up + 5


def test_a_new_rate_and_limit_apply_while_it_runs() -> None:
    """From nearly nothing to many a second, without a new start."""
    with serving(lambda _: httpx.Response(200)) as url, Load(url, 0.001) as load:
        assert load.figures().arrived == 0
        load.set_rate(200)
        until(lambda: load.figures().chats >= 5)
        load.set_max_in_flight(0)
        until(lambda: load.figures().given_up >= 5)
    assert load.figures().rate == 200


def test_even_arrivals_have_equal_gaps() -> None:
    """Every arrival is one tick of the rate's clock after the one before."""
    load = Load("http://127.0.0.1:9", 10, even=True)
    assert {load._gap() for _ in range(10)} == {1.0}


def test_poisson_arrivals_average_the_rate() -> None:
    """Gaps differ, and are one tick in the mean."""
    load = Load("http://127.0.0.1:9", 10)
    gaps = [load._gap() for _ in range(5000)]
    assert sum(gaps) / len(gaps) == pytest.approx(1, abs=0.05)
    assert max(gaps) > 3


def test_what_nobody_answers_is_an_error() -> None:
    """A connection that is refused counts as bad, with status 0."""
    with Load("http://127.0.0.1:9", 100) as load:
        until(lambda: load.figures().errors >= 3)
    assert {one.status for one in load.seen()} == {0}
    assert load.figures().bad == load.figures().chats > 0


def test_errors_of_the_service_are_counted() -> None:
    """A 500 is an error and a bad chat."""
    with serving(lambda _: httpx.Response(500)) as url, Load(url, 100) as load:
        until(lambda: load.figures().chats >= 3)
    figures = load.figures()
    assert figures.bad == figures.chats
    assert figures.errors >= figures.chats


def test_most_of_the_traffic_are_chats_with_rotating_questions() -> None:
    """Eight questions in turn; three of ten want no passages; the rest asks the neighbours."""
    chance = random.Random(1)
    calls = [call(turn, chance.random()) for turn in range(2000)]
    shares = Counter(one.route for one in calls)
    assert shares[CHAT] / len(calls) == pytest.approx(0.8, abs=0.05)
    assert set(shares) == {CHAT, "/api/chat/context", "/api/chat/providers"}
    asked = {one.body["message"] for one in calls if one.body}
    assert asked == set(QUESTIONS)
    plain = sum(one.body is not None and not one.body["includeContext"] for one in calls)
    assert plain / shares[CHAT] == pytest.approx(0.3, abs=0.05)
    assert len(QUESTIONS) == 8


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.95, 0.0), ([7.0], 0.5, 7.0), (list(range(1, 101)), 0.95, 95), ([3, 1, 2], 1.0, 3)],
)
def test_a_percentile_is_a_value_that_was_seen(
    values: list[float], share: float, expected: float
) -> None:
    """Nearest rank, nothing interpolated."""
    assert percentile(values, share) == expected


@pytest.mark.parametrize(
    ("milliseconds", "status", "expected"),
    [(999, 200, False), (1001, 200, True), (5, 500, True), (5, 0, True), (5, 404, False)],
)
def test_bad_means_what_the_objective_means(
    milliseconds: float, status: int, expected: bool
) -> None:
    """Over a second, or a failure of the service."""
    assert bad(Seen(CHAT, 0, milliseconds, status)) is expected
