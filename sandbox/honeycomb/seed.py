"""A JSON file that says in one go what a stand-in starts with; ids are as the file has them.

```
{"revoked_keys": [], "datasets": ["name"],
 "derived_columns": [{"dataset", "alias", "expression"}],
 "recipients": [{"id", "type": "webhook", "details"}],
 "slos": [{"id", "dataset", "name", "sli": {"alias"}, "time_period_days", "target_per_million"}],
 "burn_alerts": [{"id", "dataset", "alert_type", "budget_rate_window_minutes",
                  "budget_rate_decrease_threshold_per_million", "slo": {"id"},
                  "recipients": [{"id"}]}]}
```
A recipient's template may stand in a file: `{"body_file": "path"}`, relative to the seed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from .burn import AlertBody
from .expression import parse
from .recipient import RecipientBody
from .routes.burn_alerts import keep_alert
from .routes.recipients import keep_recipient
from .routes.slos import keep_slo
from .slo import SloBody
from .standin import StandIn


class Seed(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")
    revoked_keys: list[str] = []
    datasets: list[str] = []
    derived_columns: list[dict[str, Any]] = []
    recipients: list[dict[str, Any]] = []
    slos: list[dict[str, Any]] = []
    burn_alerts: list[dict[str, Any]] = []


def plant(standin: StandIn, file: Path) -> None:
    """Write what the file says; running it again on a kept database changes nothing."""
    seed = Seed.model_validate(json.loads(file.read_text()))
    standin.revoked |= set(seed.revoked_keys)
    placed = [one["dataset"] for one in (*seed.derived_columns, *seed.slos)]
    for name in {*seed.datasets, *placed} - {"__all__"}:
        standin.objects.put("dataset", {"id": name, "name": name})
    for one in seed.derived_columns:
        parse(one["expression"])  # its columns need not exist yet: no event has come
        key = one.get("id", f"{one['dataset']}/{one['alias']}")
        fields = {"description": "", "at": standin.clock()} | one
        standin.objects.put("derived_column", fields | {"id": key})
    for one in seed.recipients:
        recipient = RecipientBody.model_validate(_with_templates(one, file.parent))
        keep_recipient(standin, one["id"], recipient)
    for one in seed.slos:
        slo = SloBody.model_validate(one).model_dump()
        keep_slo(standin, one["id"], slo | {"dataset_slugs": [one["dataset"]]})
    for one in seed.burn_alerts:
        keep_alert(standin, one["id"], TypeAdapter(AlertBody).validate_python(one))


def _with_templates(recipient: dict[str, Any], folder: Path) -> dict[str, Any]:
    templates = recipient["details"].get("webhook_payloads", {}).get("payload_templates", {})
    for template in templates.values():
        if "body_file" in template:
            template["body"] = (folder / template.pop("body_file")).read_text()
    return recipient
