"""`python -m chatbot.app.ingest`: embeds the corpus and stores it in OpenSearch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import bedrock, corpus, index
from .corpus import Passage
from .settings import EMBEDDING_MODEL, Settings

THREADS = 8


def embedded(runtime: Any, passages: Sequence[Passage]) -> list[tuple[Passage, list[float]]]:
    """Each passage with its vector; several calls at once, because Titan takes one text a call."""

    def vector(passage: Passage) -> list[float]:
        _, answer = bedrock.invoke(runtime, f"{passage.title}\n{passage.text}")
        found: list[float] = answer["embedding"]
        return found

    try:
        with ThreadPoolExecutor(THREADS) as pool:
            return list(zip(passages, pool.map(vector, passages), strict=True))
    except Exception as failure:
        raise RuntimeError(
            f"the corpus could not be embedded by {EMBEDDING_MODEL} at"
            f" {runtime.meta.endpoint_url}: {failure}; is the model enabled in this account and"
            " region, and may the task's role invoke it?"
        ) from failure


def main() -> None:
    """Fill the index that the environment names."""
    settings = Settings.of(os.environ)
    runtime = bedrock.client(settings, THREADS)
    stored = index.opensearch(settings).fill(embedded(runtime, corpus.passages()))
    print(f"{stored} passages stored in {settings.opensearch_index}")


if __name__ == "__main__":
    main()
