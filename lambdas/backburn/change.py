"""A Change: typed intent, before any text of a program is touched."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .workload import Model, Resource

SettingName = Literal["ecs.task_size"]


class Move(Model):
    """One input property of a resource goes from one value to another."""

    property: str = Field(description="the provider's own name, e.g. cpu")
    before: str
    after: str

    def inverse(self) -> Move:
        """The way back."""
        return Move(property=self.property, before=self.after, after=self.before)


class Change(Model):
    """What is meant to change, and nothing about how the program says it."""

    setting: SettingName
    resource: Resource
    move: Move
    companions: tuple[Move, ...] = Field(description="what must move along, e.g. memory with cpu")
    why: str = Field(description="the cause of the diagnosis that this setting can cure")

    @property
    def moves(self) -> tuple[Move, ...]:
        """Every property that changes, the leading one first."""
        return (self.move, *self.companions)

    def inverse(self) -> Change:
        """The change that undoes this one."""
        return self.model_copy(
            update={
                "move": self.move.inverse(),
                "companions": tuple(m.inverse() for m in self.companions),
            }
        )

    def words(self) -> str:
        """One line for people, e.g. `otel-ai-chatbot-task: cpu 512 -> 1024, memory ...`."""
        moved = ", ".join(f"{m.property} {m.before} -> {m.after}" for m in self.moves)
        return f"{self.resource.name}: {moved}"
