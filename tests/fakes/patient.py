"""The chatbot as a workload, and the SLO it is measured by."""

from __future__ import annotations

from typing import Any

from backburn.telemetry import Slo
from backburn.workload import Workload

CHAT_LATENCY = Slo(
    id="chat-latency",
    name="Chat answers within a second",
    alias="sli.chat_latency",
    target_per_million=950_000,
)


def chatbot(**changes: Any) -> Workload:
    """The workload with windows of minutes; top-level fields can be changed."""
    fields: dict[str, Any] = {
        "name": "chatbot",
        "mode": "apply",
        "service": "otel-ai-chatbot-backend",
        "dataset": "otel-ai-chatbot-backend",
        "slos": ["chat-latency"],
        "route": {"column": "http.target", "value": "/api/chat"},
        "program": {
            "bundle": "programs/chatbot.zip",
            "stack": "dev",
            "backend": "s3://state",
            "passphrase_secret": "backburn/chatbot-passphrase",
        },
        "ecs": {"cluster": "otel-ai-chatbot-dev", "service": "otel-ai-chatbot-dev"},
        "settings": [
            {
                "setting": "ecs.task_size",
                "resource": {
                    "type": "aws:ecs/taskDefinition:TaskDefinition",
                    "name": "otel-ai-chatbot-task",
                },
                "max_cpu": 2048,
                "max_memory": 4096,
            }
        ],
        "approvers": ["approver@example.com"],
        "windows": {"burn": 120, "baseline": 180, "gap": 120, "ingest_lag": 5},
        "verification": {"soak": 60, "drop": 10, "looks": 5, "every": 60},
    }
    return Workload.model_validate(fields | changes)
