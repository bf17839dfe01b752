"""What the chatbot's users ask: mostly chats, some of the neighbouring routes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

CHAT = "/api/chat"
CHAT_SHARE = 0.8
SMALL_TALK_SHARE = 0.24  # of all requests: chats that want no passages looked up
CONTEXT_SHARE = 0.12  # the rest asks for the providers

QUESTIONS = (
    "Why is my chat slow when the task has little CPU?",
    "How do I choose a target for an availability objective?",
    "What does a burn rate of fourteen mean for the month?",
    "Which memory sizes are legal for a Fargate task with 1024 units?",
    "How can two revisions be compared during a rolling deployment?",
    "What should I do when Bedrock throttles my account?",
    "Does a larger context make the answers of the model better?",
    "How is a Pulumi update rolled back after an incident?",
)


@dataclass(frozen=True)
class Call:
    """One request of a user."""

    method: str
    path: str  # with its query
    body: dict[str, object] | None = None

    @property
    def route(self) -> str:
        """The path alone."""
        return self.path.partition("?")[0]


def call(turn: int, chance: float) -> Call:
    """The request of the `turn`th arrival; `chance` in [0, 1) decides what it asks for."""
    question = QUESTIONS[turn % len(QUESTIONS)]
    if chance < CHAT_SHARE:
        wants_passages = chance >= SMALL_TALK_SHARE
        body = {"message": question, "maxContextDocs": 5, "includeContext": wants_passages}
        return Call("POST", CHAT, body)
    if chance < CHAT_SHARE + CONTEXT_SHARE:
        return Call("GET", f"/api/chat/context?message={quote(question)}")
    return Call("GET", "/api/chat/providers")
