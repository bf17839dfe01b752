"""What the user allows: one block of workloads.yaml per service Backburn may work on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
RoleNames = Annotated[str, StringConstraints(pattern=r"^[\w+=,.@/-]+\*?$")]
MailAddress = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]


class Model(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Mode(StrEnum):
    """How far Backburn goes by itself."""

    OBSERVE = "observe"  # stop after the diagnosis and what would have been proposed
    PROPOSE = "propose"  # mail the proposal, with no way to approve it
    APPLY = "apply"  # the whole flow, behind an approval


class Route(Model):
    """The requests the SLO is about: root spans with this attribute value."""

    column: str = "http.target"
    value: str


class Program(Model):
    """Where the Pulumi program is kept and how its stack is reached."""

    bundle: str = Field(description="key of the zip in the bundle store, e.g. programs/chatbot.zip")
    directory: str = Field(default=".", description="folder of Pulumi.yaml within the bundle")
    stack: str
    backend: str = Field(description="PULUMI_BACKEND_URL, e.g. s3://my-state?region=eu-central-1")
    passphrase_secret: str = Field(description="Secrets Manager name of PULUMI_CONFIG_PASSPHRASE")
    secrets: tuple[str, ...] = Field(
        default=(), description="names of the secrets the program manages: a refresh reads them"
    )

    def deploys_with(self, other: Program) -> bool:
        """Whether one deployment is of both: the same program, and the same stack of it."""
        mine = (self.backend, self.stack, self.bundle, self.directory)
        return mine == (other.backend, other.stack, other.bundle, other.directory)


class Resource(Model):
    """A resource as the Pulumi state names it."""

    type: str = Field(description="type token, e.g. aws:ecs/taskDefinition:TaskDefinition")
    name: str = Field(description="logical name in the program")


class EcsService(Model):
    """The running service: where saturation is measured and the rollout watched."""

    cluster: str
    service: str
    task_roles: tuple[RoleNames, ...] = Field(
        default=(), description="names of the roles its tasks run under; may end in *"
    )


class AllowedSetting(Model):
    """One row of the catalogue that may be changed here, and how far."""

    setting: Literal["ecs.task_size"]
    resource: Resource
    max_cpu: int = Field(gt=0, description="CPU units a task may at most be given")
    max_memory: int = Field(gt=0, description="MiB a task may at most be given")


class Windows(Model):
    """What is compared with what, in seconds."""

    burn: int = Field(default=900, ge=30, description="length of the burn window before the alert")
    baseline: int = Field(default=3600, ge=60, description="length of the baseline")
    gap: int = Field(default=3600, ge=0, description="between the baseline's end and the alert")
    ingest_lag: int = Field(
        default=60, ge=0, description="the newest seconds that do not count yet"
    )
    alert: int = Field(
        default=3600, ge=60, description="what the burn alert looks back: its OK may take as long"
    )


class Verification(Model):
    """How recovery is measured (facts: exact binomial, looks fixed before the first)."""

    soak: int = Field(default=600, ge=0, description="seconds between settled and the first look")
    drop: int = Field(default=60, ge=0, description="first seconds after settled that do not count")
    looks: int = Field(default=5, ge=1, le=20)
    every: int = Field(default=300, ge=1, description="seconds between looks")
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="error over all looks together")
    rollout_poll: int = Field(default=15, ge=1)
    rollout_limit: int = Field(default=1800, ge=1, description="seconds until a rollout is stuck")


class Freeze(Model):
    """No change is proposed or applied between these moments."""

    start: AwareDatetime
    end: AwareDatetime
    why: str

    def covers(self, now: datetime) -> bool:
        """Whether the window is in force at `now`."""
        return self.start <= now < self.end


class Limits(Model):
    """Brakes of one workload; the kill switch is the account's own."""

    changes_per_day: int = Field(default=3, ge=0)
    freeze: tuple[Freeze, ...] = ()


class Workload(Model):
    """One service we may work on."""

    name: Slug
    mode: Mode = Mode.OBSERVE
    service: str = Field(description="service.name of its spans")
    dataset: str = Field(description="Honeycomb dataset slug")
    slos: tuple[str, ...] = Field(min_length=1, description="SLO ids; only these route")
    route: Route
    program: Program
    ecs: EcsService
    settings: tuple[AllowedSetting, ...] = Field(min_length=1)
    approvers: tuple[MailAddress, ...] = Field(min_length=1)
    approval_minutes: int = Field(default=60, ge=1, le=1440)
    windows: Windows = Windows()
    verification: Verification = Verification()
    limits: Limits = Limits()


class Workloads(Model):
    """The whole of workloads.yaml."""

    version: Literal[1]
    operators: tuple[MailAddress, ...] = Field(min_length=1, description="who hears of faults")
    workloads: tuple[Workload, ...] = Field(min_length=1)

    def named(self, name: str) -> Workload:
        """The workload of that name; KeyError if there is none."""
        return next(iter(w for w in self.workloads if w.name == name), None) or _missing(name)

    def for_slo(self, slo: str) -> Workload | None:
        """The workload an alert on this SLO is routed to."""
        return next((w for w in self.workloads if slo in w.slos), None)

    def beside(self, workload: Workload) -> tuple[Workload, ...]:
        """The other workloads of its Pulumi stack."""
        others = (w for w in self.workloads if w.name != workload.name)
        return tuple(w for w in others if w.program.deploys_with(workload.program))


def _missing(name: str) -> Workload:
    raise KeyError(f"workloads.yaml has no workload {name!r}")
