"""Where passages are looked up by their vector: in this process, or in OpenSearch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import mul
from typing import Any, Protocol

from .corpus import Passage
from .settings import Settings

Vector = Sequence[float]
Hit = tuple[Passage, float]


class Index(Protocol):
    """Passages by nearness."""

    remote: bool  # whether asking it is a call to another service, worth a span

    def nearest(self, vector: Vector, count: int) -> list[Hit]:
        """At most `count` passages with their cosine similarity, nearest first."""
        ...


class LocalIndex:
    """The whole corpus in memory, compared one by one."""

    remote = False

    def __init__(self, entries: Iterable[tuple[Passage, Vector]]) -> None:
        self._entries = [(passage, _unit(vector)) for passage, vector in entries]

    def nearest(self, vector: Vector, count: int) -> list[Hit]:
        """See Index."""
        asked = _unit(vector)
        hits = [(passage, sum(map(mul, asked, known))) for passage, known in self._entries]
        return sorted(hits, key=lambda hit: -hit[1])[:count]


class OpenSearchIndex:
    """A k-NN index with the fields vector, source, title and text."""

    remote = True

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def nearest(self, vector: Vector, count: int) -> list[Hit]:
        """See Index."""
        answer = self._client.search(
            index=self._name,
            body={
                "size": count,
                "query": {"knn": {"vector": {"vector": list(vector), "k": count}}},
                "_source": ["source", "title", "text"],
            },
        )
        # For cosinesimil OpenSearch scores (1 + cosine) / 2.
        return [
            (Passage(**hit["_source"]), 2 * hit["_score"] - 1) for hit in answer["hits"]["hits"]
        ]

    def fill(self, entries: Iterable[tuple[Passage, Vector]]) -> int:
        """Create the index if need be and store the passages; how many."""
        if not self._client.indices.exists(index=self._name):
            self._client.indices.create(index=self._name, body=MAPPING)
        stored = 0
        for passage, vector in entries:
            self._client.index(
                index=self._name,
                id=f"{passage.source}/{passage.title}",
                body={**vars(passage), "vector": list(vector)},
            )
            stored += 1
        return stored


MAPPING = {
    "settings": {"index.knn": True},
    "mappings": {
        "properties": {
            "vector": {
                "type": "knn_vector",
                "dimension": 1536,
                "method": {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"},
            },
            "source": {"type": "keyword"},
            "title": {"type": "text"},
            "text": {"type": "text"},
        }
    },
}


def opensearch(settings: Settings) -> OpenSearchIndex:
    """The index of the environment; the client is imported only where it is used."""
    from opensearchpy import OpenSearch  # noqa: PLC0415

    client = OpenSearch(
        settings.opensearch_endpoint,
        http_auth=(settings.opensearch_username, settings.opensearch_password),
        timeout=5,
    )
    return OpenSearchIndex(client, settings.opensearch_index)


def _unit(vector: Vector) -> Vector:
    length = math.sqrt(sum(map(mul, vector, vector))) or 1.0
    return [value / length for value in vector]
