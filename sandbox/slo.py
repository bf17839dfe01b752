"""The patient's SLO in the Honeycomb stand-in, and the burn alert that wakes Backburn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

DATASET = "otel-ai-chatbot-backend"
CONFIGURATION_KEY = "hcalk_sandbox_configuration_key"
INGEST_KEY = "hcaik_sandbox_ingest_key"
TEMPLATE = Path(__file__).resolve().parent.parent / "lambdas/backburn/payload_template.json.tmpl"

# A chat is good if it was answered within a second and not by a failure of ours.
SLI = (
    'IF(AND(EQUALS($http.target,"/api/chat"),NOT(EXISTS($trace.parent_id))),'
    "AND(LTE($duration_ms,1000),LT($http.status_code,500)))"
)
SEED: dict[str, Any] = {
    "datasets": [DATASET],
    "derived_columns": [{"dataset": DATASET, "alias": "sli.chat_latency", "expression": SLI}],
    "slos": [
        {
            "id": "chat-latency",
            "dataset": DATASET,
            "name": "Chat answers within a second",
            "sli": {"alias": "sli.chat_latency"},
            "time_period_days": 7,
            "target_per_million": 950_000,
        }
    ],
}
EVALUATE_EVERY = 30  # seconds between two judgements of the burn alert, on the clock's multiples
# A sandbox's whole history is minutes, so that a burn of seconds eats a whole budget: the alert
# waits until all of it is gone within the shortest window.
BURN = {
    "alert_type": "budget_rate",
    "budget_rate_window_minutes": 1,
    "budget_rate_decrease_threshold_per_million": 1_000_000,
}


def connect(honeycomb: str, webhook: str, token: str) -> None:
    """Install Backburn's recipient and bind the burn alert to it, through the public API.

    A young SLO has a budget of a few requests, which a cold start alone can burn: connect it after
    a minute of healthy traffic.
    """
    recipient = {
        "type": "webhook",
        "details": {
            "webhook_name": "backburn",
            "webhook_url": webhook,
            "webhook_secret": token,
            "webhook_payloads": {
                "payload_templates": {"budget_rate": {"body": TEMPLATE.read_text()}}
            },
        },
    }
    key = {"X-Honeycomb-Team": CONFIGURATION_KEY}
    with httpx.Client(base_url=honeycomb, headers=key) as client:
        made = client.post("/1/recipients", json=recipient).raise_for_status().json()
        alert = {**BURN, "slo": {"id": "chat-latency"}, "recipients": [{"id": made["id"]}]}
        client.post(f"/1/burn_alerts/{DATASET}", json=alert).raise_for_status()
