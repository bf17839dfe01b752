"""The second look at retrieval: the words of question and candidate against each other.

Late interaction: each term of the question is matched with its best counterpart in the passage,
and the matches are added up, weighted by how rare the term is. It is the part of a chat that costs
processor time, in proportion to candidates, terms and their dimensions.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import mul

from .corpus import Passage

DIMENSIONS = 128
NEAREST = 5
ADDED_WEIGHT = 0.1
QUESTION_TERMS = 12  # shorter questions are expanded, so that each costs the same
PASSAGE_TERMS = 32
SHORTEST_TERM = 3
TRIGRAM = 3
COMMON = frozenset(
    word
    for line in """
    about after again all and any are because been before being but can could did does each for
    from had has have how into its itself more most not now one only other our out over own same
    should some such than that the their them then there these they this those too under until
    very was were what when where which while who whom why will with you your
    """.splitlines()
    for word in line.split()
)

TermVector = Sequence[float]


def terms(text: str) -> list[str]:
    """The words that carry meaning, in their order."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return [word for word in words if len(word) >= SHORTEST_TERM and word not in COMMON]


def term_vector(term: str) -> TermVector:
    """A unit vector from the term's trigrams, so that `throttle` and `throttling` are close."""
    vector = [0.0] * DIMENSIONS
    padded = f"^{term}$"
    for start in range(len(padded) - TRIGRAM + 1):
        seed = zlib.crc32(padded[start : start + TRIGRAM].encode())
        for shift in range(0, 32, 8):
            place = (seed >> shift) & 0xFF
            vector[place % DIMENSIONS] += 1.0 if place < DIMENSIONS else -1.0
    length = math.sqrt(sum(map(mul, vector, vector))) or 1.0
    return [value / length for value in vector]


class Reranker:
    """Knows the terms of the passages it has seen."""

    def __init__(self, corpus: Iterable[Passage]) -> None:
        self._terms = {passage: _of(passage) for passage in corpus}
        self._vectors = {
            passage: [term_vector(term) for term in known] for passage, known in self._terms.items()
        }
        counted = Counter(term for known in self._terms.values() for term in set(known))
        total = len(self._terms) + 1
        self._weights = {term: math.log(total / count) for term, count in counted.items()}
        self._rarest = math.log(total)

    def best(self, question: str, candidates: Sequence[Passage], count: int) -> list[Passage]:
        """The `count` candidates that answer the question's words best."""
        asked = [
            (term_vector(term), share * self._weights.get(term, self._rarest))
            for term, share in _expanded(question, candidates)
        ]
        scored = [(self._score(asked, passage), passage) for passage in candidates]
        scored.sort(key=lambda pair: -pair[0])
        return [passage for _, passage in scored[:count]]

    def _score(self, asked: Sequence[tuple[TermVector, float]], passage: Passage) -> float:
        known = self._vectors.get(passage) or [term_vector(term) for term in _of(passage)]
        return sum(
            weight * max((sum(map(mul, vector, other)) for other in known), default=0.0) ** 2
            for vector, weight in asked
        )


def _expanded(question: str, candidates: Sequence[Passage]) -> list[tuple[str, float]]:
    """The question's terms, filled up with those of the nearest titles, which count for less."""
    weights = dict.fromkeys(terms(question), 1.0)
    for passage in candidates[:NEAREST]:
        for term in terms(passage.title):
            weights.setdefault(term, ADDED_WEIGHT)
    return list(weights.items())[:QUESTION_TERMS]


def _of(passage: Passage) -> list[str]:
    return terms(f"{passage.title} {passage.text}")[:PASSAGE_TERMS]
