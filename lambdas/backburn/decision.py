"""An approver's answer, what it was about, and the links that let it be given.

Three secrets keep a decision a person's own (facts: mail scanners open links, run scripts and
post forms): the link proves the mailbox, the short code proves that somebody read the mail, and
the MAC proves to the deploy job that the approval route and nobody else wrote the decision.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from enum import StrEnum

from pydantic import AwareDatetime, Field

from .workload import MailAddress, Model

SCHEMA = "backburn/decision/v1"
CODE_TRIES = 5

Randomness = Callable[[int], bytes]  # os.urandom, or a test's own


class Choice(StrEnum):
    """What can be decided."""

    APPROVE = "approve"
    REJECT = "reject"


class Decision(Model):
    """One answer to one proposal; the first one stands and is used once."""

    incident: str
    attempt: int = Field(ge=1)
    decision: Choice
    digest: str = Field(description="sha256 of proposal.json, byte for byte")
    approver: MailAddress
    expiry: AwareDatetime
    at: AwareDatetime
    reason: str = Field(default="", max_length=1000)
    mac: str = Field(default="", description="hex; over message(), by KMS")

    def message(self) -> bytes:
        """The bytes the MAC is made over: everything that authorises, nothing that decorates."""
        bound = {
            "schema": SCHEMA,
            "incident": self.incident,
            "attempt": self.attempt,
            "decision": self.decision.value,
            "digest": self.digest,
            "approver": self.approver,
            "expiry": self.expiry.isoformat(),
            "at": self.at.isoformat(),
        }
        return json.dumps(bound, sort_keys=True, separators=(",", ":")).encode()

    def signed(self, mac: bytes) -> Decision:
        """The same decision with its MAC."""
        return self.model_copy(update={"mac": mac.hex()})

    def mac_bytes(self) -> bytes:
        """The MAC as KMS takes it; empty if it is missing or no hexadecimal."""
        try:
            return bytes.fromhex(self.mac)
        except ValueError:
            return b""

    def objection(
        self, *, incident: str, attempt: int, digest: str, approvers: tuple[str, ...]
    ) -> str | None:
        """Why this decision does not allow the apply, or None. The MAC is checked beside it."""
        if self.decision is not Choice.APPROVE:
            return f"{self.approver} rejected it"
        if (self.incident, self.attempt) != (incident, attempt):
            return f"the decision is about {self.incident}, attempt {self.attempt}"
        if self.digest != digest:
            return f"approved was proposal {self.digest[:12]}, not {digest[:12]}"
        if self.approver not in approvers:
            return f"{self.approver} is no approver of this workload"
        if self.at >= self.expiry:
            return f"it was decided at {self.at:%H:%M:%S}, after its expiry"
        return None


class Link(Model):
    """A personal link as it stands in the table: neither secret can be read from it."""

    link: str = Field(description="sha256 of the link's secret")
    code: str = Field(description="sha256 of short code and link secret together")
    approver: MailAddress
    execution: str
    generation: str
    decidable: bool = Field(default=True, description="False: the page shows no form")
    tries: int = 0


class Request(Model):
    """A proposal that waits for its decision; one per execution, the newest generation counts."""

    execution: str
    incident: str
    attempt: int
    workload: str
    generation: str = Field(description="changes with every task token, so that old links die")
    token: str = Field(description="wakes the execution; authorises nothing")
    proposal: str = Field(description="artifact key of proposal.json")
    digest: str
    expiry: AwareDatetime


class LinkSecret(Model):
    """What only the mail may say: the end of the link, and the short code beside it."""

    link: str
    code: str


def link_secret(randomness: Randomness) -> LinkSecret:
    """A fresh link (256 bits) and a six-digit code."""
    link = base64.urlsafe_b64encode(randomness(32)).rstrip(b"=").decode()
    return LinkSecret(link=link, code=f"{int.from_bytes(randomness(8), 'big') % 1_000_000:06d}")


def link_hash(link: str) -> str:
    """What the table knows of a link."""
    return hashlib.sha256(link.encode()).hexdigest()


def code_hash(code: str, link: str) -> str:
    """What the table knows of a code: a million guesses need the link's secret too."""
    return hashlib.sha256(f"{code}/{link}".encode()).hexdigest()


def generation(token: str) -> str:
    """The name of one visit to RequestApproval: a redrive brings a new task token."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]
