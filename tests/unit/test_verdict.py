from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backburn.comparison import Look
from backburn.evidence import Neighbour
from backburn.sli import Counts, Series, Window
from backburn.verdict import Verdict, Word, judge
from tests.fakes.served import NOON, served

AFTER = Window(start=NOON, end=NOON + timedelta(seconds=600))
BEFORE = Window(start=NOON - timedelta(hours=1), end=NOON - timedelta(minutes=50))


def look(after: Series, **fields: Any) -> Look:
    """The first of five looks; 600 requests before of which half were bad."""
    given = {
        "look": 1,
        "looks": 5,
        "alpha": 0.05,
        "allowed": 0.05,
        "before": Counts(good=300, bad=300),
        "before_window": BEFORE,
        "before_revisions": ("7",),
        "after": after,
        "after_window": AFTER,
    }
    given |= fields
    return Look(**({"before_per_minute": given["before"].total / 10} | given))


def word(after: Series, **fields: Any) -> Word:
    """Only the verdict."""
    return judge(look(after, **fields)).verdict


def before(bad: int, total: int = 600) -> Counts:
    """What the burn window counted."""
    return Counts(good=total - bad, bad=bad)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (0, Word.RECOVERED),
        (17, Word.RECOVERED),
        (18, Word.UNKNOWN),  # better, but not within what is allowed
        (240, Word.UNKNOWN),
        (250, Word.UNCHANGED),
        (300, Word.UNCHANGED),
        (350, Word.UNCHANGED),
        (360, Word.WORSE),
        (600, Word.WORSE),
    ],
)
def test_law_6_the_four_words(bad: int, expected: Word) -> None:
    """By exact bounds at 99 %: of 600 requests, half bad before, 5 % allowed."""
    assert expected is word(served(600, bad))


def test_law_6_the_error_is_split_over_the_looks() -> None:
    """90 good requests are enough at 1 % a look, 59 were enough for a single look."""
    few = {"before": before(45, 90), "after_window": AFTER}
    assert Word.RECOVERED is word(served(90, 0), **few)
    assert Word.UNKNOWN is word(served(89, 0), **few)
    assert Word.RECOVERED is word(served(59, 0), **(few | {"looks": 1, "before": before(30, 60)}))


def test_law_6_too_little_says_how_much_more() -> None:
    """Requests and minutes that are still needed."""
    verdict = judge(look(served(60, 0), before=before(30, 60)))
    assert (verdict.verdict, verdict.needs) == (Word.UNKNOWN, 30)
    assert "needs 30 more requests, about 5 minutes" in verdict.reason


@pytest.mark.parametrize(
    ("after", "fields", "said"),
    [
        (served(0, 0), {}, "no data"),
        (served(299, 0), {}, "load changed"),
        (served(1201, 0), {}, "load changed"),
        (served(600, 0, until=530), {}, "of the window has no requests"),
        (served(600, 0, revision="7"), {}, "still serves"),
        (served(600, 0), {"before": Counts()}, "load changed"),
    ],
    ids=["silence", "half the load", "twice the load", "holes", "old revision", "no before"],
)
def test_law_6_what_cannot_be_compared_is_unknown(
    after: Series, fields: dict[str, Any], said: str
) -> None:
    """However good the requests were; and never anything but unknown."""
    verdict = judge(look(after, **fields))
    assert Word.UNKNOWN is verdict.verdict
    assert said in verdict.reason


def test_law_6_another_revision_is_unknown() -> None:
    """A deployment in the middle of the window is another cause."""
    two = served(300, 0).slots + served(300, 0, revision="9").slots
    verdict = judge(look(served(0, 0).model_copy(update={"slots": two})))
    assert (verdict.verdict, "another revision" in verdict.reason) == (Word.UNKNOWN, True)


def test_law_6_silence_at_the_end_is_unknown() -> None:
    """Traffic that stopped two and a half minutes ago is not being measured any more."""
    window = Window(start=NOON, end=NOON + timedelta(seconds=3600))
    after = served(3400, 0, until=3440)
    verdict = judge(look(after, after_window=window))
    assert (verdict.verdict, "newest request is 160 s" in verdict.reason) == (Word.UNKNOWN, True)


def test_without_revisions_the_rest_still_judges() -> None:
    """A service that does not say its revision cannot be checked for it."""
    assert Word.RECOVERED is word(served(600, 0, revision=None), before_revisions=(None,))


def test_after_a_rollback_the_old_revision_may_serve() -> None:
    """The mirror of the change brings back what was there."""
    assert Word.UNCHANGED is word(served(600, 300, revision="7"), must_differ=False)


def test_a_doubtful_sample_is_no_failure_before_the_last_look() -> None:
    """8 % before and 4 of 90 bad after: overlapping, but recovery is not ruled out yet."""
    doubtful = {"before": before(8, 100), "before_window": BEFORE}
    assert Word.UNKNOWN is word(served(90, 4), **doubtful)
    assert Word.UNCHANGED is word(served(90, 4), look=5, **doubtful)
    assert Word.UNKNOWN is word(served(70, 3), look=5, **doubtful)


def test_law_6_a_look_too_soon_is_unknown() -> None:
    """In less time than the burn's slow requests took, only fast ones can have ended."""
    verdict = judge(look(served(600, 0), shortest=601))
    assert (verdict.verdict, verdict.reason[:8]) == (Word.UNKNOWN, "too soon")
    assert word(served(600, 0), shortest=600) is Word.RECOVERED


def neighbour(requests: int, over: int, route: str = "/api/ingest") -> Neighbour:
    """Another route of the service."""
    return Neighbour(route=route, requests=requests, over=over, limit_ms=250, p95_ms=240)


def test_law_6_a_neighbour_made_worse_is_worse() -> None:
    """A cured route does not excuse a harmed one."""
    verdict = judge(
        look(
            served(600, 0),
            neighbours=(neighbour(200, 10),),
            neighbours_after=(neighbour(200, 60),),
        )
    )
    assert (verdict.verdict, verdict.reason.startswith("/api/ingest")) == (Word.WORSE, True)
    assert [n.worse for n in verdict.neighbours] == [True]


def test_law_7_the_path_a_stranger_asks_for_is_no_link_in_a_reason() -> None:
    """Requests enough make any path a neighbour, and reasons are mailed."""
    route = "/https://evil.example/approve"
    judged = [
        judge(look(served(600, 0), neighbours=(neighbour(200, 10, route),), neighbours_after=after))
        for after in ((neighbour(200, 60, route),), ())
    ]
    assert all("/https[:]//evil.example" in verdict.reason for verdict in judged)


def test_a_neighbour_no_worse_changes_nothing() -> None:
    """Its own bounds, its own before."""
    same = {"neighbours": (neighbour(200, 10),), "neighbours_after": (neighbour(200, 14),)}
    assert Word.RECOVERED is word(served(600, 0), **same)


def test_law_6_a_route_that_vanished_is_unknown() -> None:
    """The mix of requests is not what it was."""
    verdict = judge(look(served(600, 0), neighbours=(neighbour(200, 10),)))
    assert (verdict.verdict, "now none" in verdict.reason) == (Word.UNKNOWN, True)
    assert Word.RECOVERED is word(served(600, 0), neighbours=(neighbour(20, 1),))


def test_a_verdict_survives_its_artifact() -> None:
    """What is written can be read back."""
    verdict = judge(look(served(600, 0)))
    assert verdict == Verdict.model_validate_json(verdict.model_dump_json())
    assert (verdict.looks_left, verdict.confidence) == (4, 0.99)
