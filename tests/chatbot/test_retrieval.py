"""Finding passages: both indexes agree, and the reranker puts the right one in front."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatbot.app import index as indexes
from chatbot.app.corpus import Passage
from chatbot.app.index import Index, LocalIndex
from chatbot.app.rerank import Reranker, term_vector, terms
from chatbot.app.settings import Settings
from tests.chatbot.conftest import PASSAGES
from tests.fakes.asgi_server import serving
from tests.fakes.opensearch import OpenSearch

NORTH, EAST, SOUTH = (Passage("compass", name, f"Go {name}.") for name in ("n", "e", "s"))
ENTRIES = [(NORTH, [0.0, 2.0]), (EAST, [3.0, 0.0]), (SOUTH, [0.0, -1.0])]


@pytest.fixture(params=["local", "opensearch"])
def compass(request: pytest.FixtureRequest) -> Iterator[Index]:
    """Three passages in an index of each kind."""
    if request.param == "local":
        yield LocalIndex(ENTRIES)
        return
    with serving(OpenSearch().app) as url:
        remote = indexes.opensearch(Settings(opensearch_endpoint=url))
        assert remote.fill(ENTRIES) == 3
        yield remote


def test_the_nearest_come_first_with_their_cosine(compass: Index) -> None:
    """Length does not matter, direction does."""
    hits = compass.nearest([0.1, 1.0], 3)
    assert [passage for passage, _ in hits] == [NORTH, EAST, SOUTH]
    assert pytest.approx([score for _, score in hits], abs=1e-3) == [0.995, 0.0995, -0.995]


def test_no_more_than_asked_for(compass: Index) -> None:
    """The count is a limit."""
    assert [passage for passage, _ in compass.nearest([1.0, 0.0], 1)] == [EAST]


def test_filling_twice_stores_once() -> None:
    """Ingesting again replaces the passages."""
    cluster = OpenSearch()
    with serving(cluster.app) as url:
        remote = indexes.opensearch(Settings(opensearch_endpoint=url))
        remote.fill(ENTRIES)
        remote.fill(ENTRIES)
    assert len(cluster.documents["rag-documents"]) == 3
    vector = cluster.mappings["rag-documents"]["mappings"]["properties"]["vector"]
    assert vector["dimension"] == 1536


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What should I do when Bedrock throttles my account?", "Throttling"),
        ("Which memory sizes are legal for a Fargate task with 1024 units?", "Task size"),
        ("How is a Pulumi update rolled back after an incident?", "Rollback"),
        ("What does a burn rate of fourteen mean for the month?", "Burn rate"),
        ("How many requests are in a system?", "Little's law"),
    ],
)
def test_the_passage_that_answers_is_among_the_best(question: str, title: str) -> None:
    """Reranking the whole corpus by the words of a question finds its passage."""
    best = Reranker(PASSAGES).best(question, PASSAGES, 5)
    assert title in [passage.title for passage in best]


def test_words_of_one_stem_are_close_and_others_are_not() -> None:
    """Terms are compared by their trigrams."""

    def likeness(one: str, other: str) -> float:
        pairs = zip(term_vector(one), term_vector(other), strict=True)
        return sum(a * b for a, b in pairs)

    assert pytest.approx(likeness("throttle", "throttle")) == 1.0
    assert likeness("throttle", "throttling") > 0.4 > abs(likeness("throttle", "budget"))


def test_a_passage_the_reranker_never_saw_can_be_ranked() -> None:
    """OpenSearch may hold more than what ships with the service."""
    stranger = Passage("elsewhere", "Penguins", "Penguins live on the ice of the south.")
    best = Reranker(PASSAGES).best("Where do penguins live?", [*PASSAGES, stranger], 1)
    assert [stranger] == best


def test_nothing_found_is_nothing_ranked() -> None:
    """An empty index gives an empty context."""
    assert Reranker(PASSAGES).best("Anything?", [], 5) == []


def test_the_corpus_is_made_of_short_titled_passages() -> None:
    """Between sixty and a hundred and twenty, each of some sentences."""
    assert 60 <= len(PASSAGES) <= 120
    assert len(PASSAGES) == len({passage.title for passage in PASSAGES})
    assert all(passage.title and len(terms(passage.text)) >= 5 for passage in PASSAGES)
