"""The Proposal: one canonical document of what would be done and what the approver is shown."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from .canonical import canonical
from .change import Change
from .cost import Cost
from .preview import Step
from .workload import Model

ENCODING: Literal["backburn.effects/v1"] = "backburn.effects/v1"
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Tools(Model):
    """Versions of everything that turns the program into API calls."""

    cli: str = Field(description="the Pulumi CLI")
    host: str = Field(description="the language host")
    sdk: str = Field(description="the language SDK, from the lockfile")
    providers: tuple[str, ...] = Field(description="e.g. aws 7.51.1, from the checkpoint")


class Bound(Model):
    """Everything that a digest binds but the moment it expires."""

    encoding: Literal["backburn.effects/v1"] = ENCODING
    incident: str
    attempt: int
    workload: str
    project: str
    stack: str
    backend: str
    bundle: Sha256 = Field(description="of the unpatched program")
    lockfile: Sha256
    config: Sha256 = Field(description="of Pulumi.<stack>.yaml before the patch")
    tools: Tools
    checkpoint: Sha256 = Field(description="of the stack's state, without its time")
    change: Change
    diff: str
    patch: Sha256
    steps: tuple[Step, ...] = Field(description="what applying does")
    same: tuple[str, ...] = Field(description="URNs that stay as they are")
    mirror: tuple[Step, ...] = Field(description="what rolling back does, approved in the same act")


class Effects(Bound):
    """What would be done, and until when it may be."""

    expires: AwareDatetime


class Preview(Model):
    """preview.json: what PreviewPatch found, for RequestApproval to propose."""

    bound: Bound
    cost: Cost
    steps_in_words: tuple[str, ...]
    rollback_in_words: tuple[str, ...]

    def effects(self, expires: AwareDatetime) -> Effects:
        """What an approval binds."""
        return Effects(**dict(self.bound), expires=expires)


class Number(Model):
    """One measured number as it is shown: text, because a digest has no floats."""

    id: str
    label: str
    value: str
    before: str = Field(default="", description="the same in the baseline")
    cited: bool = Field(default=False, description="the diagnosis rests on it")
    link: str


class Shown(Model):
    """Everything an approver is shown besides the effects; the page reads nothing else."""

    title: str
    service: str
    alert: str = Field(description="Honeycomb's own words, as plain text")
    diagnosis: str
    confidence: str
    numbers: tuple[Number, ...]
    steps: tuple[str, ...]
    rollback: tuple[str, ...]
    cost: str
    approvers: tuple[str, ...] = Field(default=(), description="whose first answer decides")


class Proposal(Model):
    """{effects, shown}: the page is rendered only from this."""

    effects: Effects
    shown: Shown


def document(proposal: Proposal) -> bytes:
    """The canonical bytes that are stored and hashed."""
    return canonical(proposal.model_dump(mode="json"))


def digest(proposal: Proposal) -> str:
    """sha256 of the whole document: what an approver decided on."""
    return hashlib.sha256(document(proposal)).hexdigest()


def effects_digest(effects: Effects) -> str:
    """sha256 of the effects alone: what the deploy job must find again."""
    return hashlib.sha256(canonical(effects.model_dump(mode="json"))).hexdigest()


def differing(approved: Effects, found: Effects) -> tuple[str, ...]:
    """The fields in which two effects differ."""
    one, other = approved.model_dump(mode="json"), found.model_dump(mode="json")
    return tuple(name for name in one if one[name] != other[name])


def read(data: bytes) -> Proposal:
    """The proposal of stored bytes; ValueError unless they are its canonical form."""
    proposal = Proposal.model_validate_json(data)
    if document(proposal) != data:
        raise ValueError("the stored proposal is not in its canonical form")
    return proposal
