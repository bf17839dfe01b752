"""An embedding in Titan's shape: texts that share words are close, equal texts are equal."""

from __future__ import annotations

import math
import random
import re
import zlib
from functools import lru_cache

DIMENSIONS = 1536
PLACES = 24  # of a word; so few that two words rarely meet
LATENCY_MS = 8.0


def embed(text: str) -> list[float]:
    """A unit vector of the text's words, each weighing less the more often it comes."""
    vector = [0.0] * DIMENSIONS
    counts: dict[str, int] = {}
    for word in re.findall(r"[a-z0-9]+", text.lower()):
        counts[word] = counts.get(word, 0) + 1
    for word, count in counts.items():
        weight = math.sqrt(count) * min(len(word), 8)  # long words carry more meaning
        for place, sign in _places(word):
            vector[place] += sign * weight
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [round(value / length, 6) for value in vector]


@lru_cache(maxsize=10_000)
def _places(word: str) -> tuple[tuple[int, float], ...]:
    stem = word.rstrip("s").removesuffix("ing").removesuffix("ed")
    chance = random.Random(zlib.crc32(stem.encode()))
    return tuple((chance.randrange(DIMENSIONS), chance.choice((-1.0, 1.0))) for _ in range(PLACES))
