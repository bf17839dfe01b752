"""What a model says and how long it takes: the same question gets the same answer."""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass
from typing import Any

CHARACTERS_PER_TOKEN = 4
FEWEST_TOKENS = 110
MOST_TOKENS = 210
SPREAD = 0.15  # the share by which one answer is slower or faster than its size says


@dataclass(frozen=True)
class Pace:
    """How fast a family of models is, in milliseconds; about a fiftieth of the real ones."""

    first_token: float
    per_input_token: float
    per_output_token: float


# By a word of the model id; the first that fits. A demo cannot wait seventeen seconds a chat.
PACES = {
    "opus": Pace(150, 0.10, 2.2),
    "haiku": Pace(30, 0.01, 0.25),
    "sonnet": Pace(70, 0.03, 0.65),
    "": Pace(60, 0.03, 0.6),
}


@dataclass(frozen=True)
class Said:
    """An answer, what it counts, and the time its model needs for it."""

    text: str
    input_tokens: int
    output_tokens: int
    stop_reason: str
    latency_ms: float


def converse(model: str, request: dict[str, Any]) -> Said:
    """The answer to a Converse request body; KeyError or TypeError if it is not one."""
    prompt = "\n".join(
        part["text"]
        for message in [{"content": request.get("system", [])}, *request["messages"]]
        for part in message["content"]
        if "text" in part
    )
    seed = zlib.crc32(f"{model}\n{prompt}".encode())
    wanted = FEWEST_TOKENS + seed % (MOST_TOKENS - FEWEST_TOKENS)
    allowed = request.get("inferenceConfig", {}).get("maxTokens", MOST_TOKENS)
    output = min(wanted, allowed)
    return Said(
        text=_sentences(prompt, seed, output),
        input_tokens=tokens(prompt),
        output_tokens=output,
        stop_reason="max_tokens" if allowed < wanted else "end_turn",
        latency_ms=latency_ms(model, tokens(prompt), output, seed),
    )


def tokens(text: str) -> int:
    """About as many as a tokenizer would count."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def latency_ms(model: str, input_tokens: int, output_tokens: int, seed: int) -> float:
    """The time to read the prompt and write the answer; `seed` decides the spread."""
    pace = next(pace for word, pace in PACES.items() if word in model)
    size = (
        pace.first_token
        + pace.per_input_token * input_tokens
        + pace.per_output_token * output_tokens
    )
    return size * (1 + SPREAD * ((seed >> 8) % 201 - 100) / 100)


def _sentences(prompt: str, seed: int, output: int) -> str:
    """Sentences of the prompt, from a place the seed picks, until the tokens are used up."""
    known = re.findall(r"[A-Z][^.?!\n]{20,}\.", prompt) or ["There is nothing to answer from."]
    start = seed % len(known)
    text = ""
    for turn in range(output):  # every sentence has at least one token
        text = f"{text} {known[(start + turn) % len(known)]}".lstrip()
        if tokens(text) >= output:
            break
    return text[: output * CHARACTERS_PER_TOKEN]
