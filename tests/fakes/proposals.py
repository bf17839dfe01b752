"""What P1's and P2's states would have written for the starved chatbot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backburn.change import Change, Move
from backburn.cost import Cost
from backburn.diagnosis import Cause, Claim, Diagnosis
from backburn.evidence import Direction, Evidence, Kind, Number, Side
from backburn.incident import Incident
from backburn.inputs import UNKNOWN, token
from backburn.preview import PathChange, Step, mirror, words
from backburn.proposal import Bound, Preview, Tools
from backburn.sli import Counts, Window
from backburn.workload import Resource

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
URN = "urn:pulumi:dev::otel-ai-chatbot-infra"
TASK = f"{URN}::aws:ecs/taskDefinition:TaskDefinition::otel-ai-chatbot-task"
SERVICE = f"{URN}::aws:ecs/service:Service::otel-ai-chatbot-service"
LINK = "https://ui.honeycomb.io/demo/environments/prod/datasets/otel-ai-chatbot-backend/result/"
DIFF = """--- a/__main__.py
+++ b/__main__.py
@@ -71,8 +71,8 @@
     "otel-ai-chatbot-task",
     family="otel-ai-chatbot-app",
     requires_compatibilities=["FARGATE"],
-    cpu="512",
-    memory="1024",
+    cpu="1024",
+    memory="2048",
     network_mode="awsvpc",
     execution_role_arn=execution_role.arn,
"""


def incident(name: str = "chatbot-1f0c9a2b7e", attempt: int = 1) -> Incident:
    """The incident."""
    return Incident(
        id=name,
        workload="chatbot",
        slo="chat-latency",
        alert="i-1",
        summary="Budget of Chat answers within a second fell by 3.1 % within 5 minutes",
        opened=NOW - timedelta(minutes=2),
        attempt=attempt,
    )


def preview(name: str = "chatbot-1f0c9a2b7e", attempt: int = 1) -> Preview:
    """The preview of the larger task size."""
    change = Change(
        setting="ecs.task_size",
        resource=Resource(
            type="aws:ecs/taskDefinition:TaskDefinition", name="otel-ai-chatbot-task"
        ),
        move=Move(property="cpu", before="512", after="1024"),
        companions=(Move(property="memory", before="1024", after="2048"),),
        why="own_cpu",
    )
    steps = (
        _step(
            SERVICE,
            "update",
            _path(
                "taskDefinition", "update", token("task-definition otel-ai-chatbot-app"), UNKNOWN
            ),
        ),
        _step(
            TASK,
            "replace",
            _path("cpu", "update-replace", "512", "1024"),
            _path("memory", "update-replace", "1024", "2048"),
        ),
    )
    bound = Bound(
        incident=name,
        attempt=attempt,
        workload="chatbot",
        project="otel-ai-chatbot-infra",
        stack="dev",
        backend="s3://chatbot-pulumi-state",
        bundle="1" * 64,
        lockfile="2" * 64,
        config="3" * 64,
        tools=Tools(cli="3.259.0", host="3.259.0", sdk="pulumi 3.272.0", providers=("aws 7.51.1",)),
        checkpoint="4" * 64,
        change=change,
        diff=DIFF,
        patch="5" * 64,
        steps=steps,
        same=tuple(f"{URN}::aws:x/y:Z::resource-{i}" for i in range(14)),
        mirror=mirror(steps),
    )
    return Preview(
        bound=bound,
        cost=Cost(before=1802, after=3604, basis="1 task on Fargate, us-east-1, on demand"),
        steps_in_words=tuple(words(step) for step in bound.steps),
        rollback_in_words=tuple(words(step) for step in bound.mirror),
    )


def evidence() -> Evidence:
    """What was measured."""
    burn = Window(start=NOW - timedelta(minutes=3), end=NOW - timedelta(minutes=2))
    before = Window(start=NOW - timedelta(minutes=5), end=NOW - timedelta(minutes=4))
    return Evidence(
        workload="chatbot",
        service="otel-ai-chatbot-backend",
        route="/api/chat",
        slo="chat-latency",
        slo_name="Chat answers within a second",
        allowed=0.05,
        burn=Side(window=burn, counts=Counts(good=180, bad=298)),
        baseline=Side(window=before, counts=Counts(good=236, bad=2)),
        numbers=(
            _number("E1", Kind.BAD_SHARE, "bad requests", 0.623, "share", 0.008),
            _number("E2", Kind.REQUESTS, "requests", 478, "1/min", 238),
            _number("E3", Kind.LATENCY, "P95 of the route", 2870, "ms", 412),
            _number("E4", Kind.CPU, "cpu of the task, mean", 98.2, "%", 44.1, link=""),
            _number("E5", Kind.OWN_TIME, "own work per request", 1310, "ms", 118),
            _number("E6", Kind.WAIT, "waiting on bedrock per request", 231, "ms", 188.4),
        ),
    )


def diagnosis() -> Diagnosis:
    """What it comes from."""
    return Diagnosis(
        cause=Cause.OWN_CPU,
        service="otel-ai-chatbot-backend",
        operation="rerank",
        claims=(
            Claim(number="E4", direction=Direction.ROSE),
            Claim(number="E5", direction=Direction.ROSE),
        ),
        confidence=0.94,
        reasoner="rules",
    )


def _step(urn: str, op: str, *paths: PathChange) -> Step:
    kind = urn.split("::")[2]
    fields = {"urn": urn, "op": op, "type": kind, "provider": "aws 7.51.1", "paths": paths}
    return Step.model_validate(fields)


def _path(path: str, kind: str, before: object, after: object) -> PathChange:
    fields = {"path": path, "kind": kind, "before": before, "after": after}
    return PathChange.model_validate(fields)


def _number(
    name: str, kind: Kind, what: str, value: float, unit: str, before: float, link: str = LINK
) -> Number:
    url = f"{link}{name}" if link else ""
    return Number(id=name, kind=kind, what=what, value=value, unit=unit, baseline=before, link=url)
