"""The code of every function in these tests: answers as the play says, and notes what it was sent.

Runs inside the local AWS, by itself: it imports nothing of ours. The classes of the errors are
made by name, because the name is all that Step Functions sees of them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

STAGE = Path(os.environ["STAGE"])


def handler(event: dict[str, Any], _context: object) -> Any:
    """Give the next answer that the incident's play has for this state."""
    state, incident = os.environ["STATE"], event["incident"]
    play = json.loads((STAGE / incident / "play.json").read_text())
    calls = STAGE / incident / f"{state}.jsonl"
    before = len(calls.read_text().splitlines()) if calls.exists() else 0
    with calls.open("a") as lines:
        lines.write(json.dumps(event) + "\n")
    answers = play.get(state, [{}])
    answer = answers[min(before, len(answers) - 1)]
    if "raise" in answer:
        raise type(answer["raise"], (Exception,), {})(answer["says"])
    return answer
