"""What is kept: columns, derived columns, SLOs, burn alerts, recipients, markers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.honeycomb.conftest import DATASET, Api
from tests.sandbox.honeycomb.test_burn_alerts import BODIES, build

DERIVED = {"alias": "slow", "expression": "GT($duration_ms, 5)"}


@pytest.fixture
def shop(api: Api) -> Api:
    """One event with a column of every type."""
    api.send({"name": "get", "duration_ms": 10.0, "n": 1, "error": True})
    return api


def test_auth_tells_team_environment_and_permissions(shop: Api) -> None:
    """What a client checks when it starts."""
    body = shop.client.get("/1/auth").json()
    assert (body["team"]["slug"], body["environment"]["slug"]) == ("sandbox", "sandbox")
    assert body["api_key_access"]["queries"] is True
    assert "sandbox" not in body
    ingest = shop.client.get("/1/auth", headers={"X-Honeycomb-Team": "hcxik_ingest"}).json()
    assert (ingest["type"], ingest["api_key_access"]["queries"]) == ("ingest", False)


def test_definitions_name_only_columns_that_exist(shop: Api) -> None:
    """Roles whose column no event carries are absent."""
    body = shop.client.get(f"/1/dataset_definitions/{DATASET}").json()
    assert {role: one["name"] for role, one in body.items()} == {
        "name": "name",
        "duration_ms": "duration_ms",
        "error": "error",
    }


def test_columns_are_typed_by_their_first_value(shop: Api) -> None:
    """string, float, integer or boolean."""
    body = shop.client.get(f"/1/columns/{DATASET}").json()
    types = {one["key_name"]: one["type"] for one in body}
    assert types == {"name": "string", "duration_ms": "float", "n": "integer", "error": "boolean"}
    one = shop.client.get(f"/1/columns/{DATASET}?key_name=n").json()
    assert one["type"] == "integer"
    assert shop.client.get(f"/1/columns/{DATASET}?key_name=nothing").status_code == 404


def test_datasets_appear_with_their_first_event(shop: Api) -> None:
    """Or by being created."""
    assert [one["slug"] for one in shop.client.get("/1/datasets").json()] == [DATASET]
    assert shop.client.post("/1/datasets", json={"name": "New One"}).status_code == 201
    assert shop.client.get("/1/datasets/new-one").json()["name"] == "New One"
    assert shop.client.get("/1/columns/nowhere").status_code == 404


def test_a_derived_column_can_be_queried_by_its_alias(shop: Api) -> None:
    """Of the dataset or of the whole environment."""
    path = f"/1/derived_columns/{DATASET}"
    made = shop.client.post(path, json=DERIVED).json()
    assert shop.rows({"breakdowns": ["slow"]}) == [{"slow": True, "COUNT": 1}]
    assert shop.client.get(path).json()[0]["alias"] == "slow"
    assert shop.client.get(f"{path}?alias=slow").json()["id"] == made["id"]
    assert shop.client.post(path, json=DERIVED).status_code == 409
    changed = DERIVED | {"expression": "GT($duration_ms, 50)"}
    assert shop.client.put(f"{path}/{made['id']}", json=changed).status_code == 200
    assert shop.rows({"breakdowns": ["slow"]}) == [{"slow": False, "COUNT": 1}]
    assert shop.client.delete(f"{path}/{made['id']}").status_code == 204
    everywhere = shop.client.post("/1/derived_columns/__all__", json=DERIVED)
    assert everywhere.status_code == 201
    assert shop.rows({"breakdowns": ["slow"]}) == [{"slow": True, "COUNT": 1}]


def test_a_derived_column_of_unknown_columns_is_refused(shop: Api) -> None:
    """A column exists from its first value on."""
    body = {"alias": "x", "expression": "EXISTS($nothing)"}
    answer = shop.client.post(f"/1/derived_columns/{DATASET}", json=body)
    assert (answer.status_code, "nothing" in answer.json()["error"]) == (422, True)


def test_an_slo_is_read_replaced_and_deleted(api: Api) -> None:
    """Its alerts go with it; its SLI cannot be deleted under it."""
    made = build(api)
    path = f"/1/slos/{DATASET}/{made['slo']['id']}"
    shown = api.client.get(path).json()
    assert shown == made["slo"]
    assert (shown["dataset_slugs"], shown["target_per_million"]) == ([DATASET], 900_000)
    assert [one["id"] for one in api.client.get("/1/slos/__all__").json()] == [shown["id"]]
    (derived,) = api.client.get(f"/1/derived_columns/{DATASET}").json()
    kept = api.client.delete(f"/1/derived_columns/{DATASET}/{derived['id']}")
    assert kept.status_code == 409
    renamed = api.client.put(path, json=BODIES["slo"] | {"name": "Renamed"})
    assert renamed.json()["name"] == "Renamed"
    assert api.client.delete(path).status_code == 204
    assert api.client.get(path).status_code == 404
    assert api.standin.objects.all("burn_alert") == []


def test_an_slo_over_several_datasets_needs_an_sli_of_the_environment(api: Api) -> None:
    """And names its datasets."""
    build(api)
    api.send({"duration_ms": 500.0}, dataset="billing")
    body = BODIES["slo"] | {"dataset_slugs": [DATASET, "billing"]}
    assert api.client.post("/1/slos/__all__", json=body).status_code == 422
    derived = {"alias": "sli.fast", "expression": "LTE($duration_ms, 100)"}
    api.client.post("/1/derived_columns/__all__", json=derived)
    made = api.client.post("/1/slos/__all__", json=body).json()
    detail = api.client.get(f"/1/slos/__all__/{made['id']}?detailed").json()
    assert (detail["compliance"], detail["status"]) == (50.0, "no_alerts")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sli": {"alias": "nothing"}}, "nothing"),
        ({"target_per_million": 1_000_000}, "target_per_million"),
        ({"time_period_days": 0}, "time_period_days"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_slo_is_refused(api: Api, change: dict[str, Any], said: str) -> None:
    """422 names the field."""
    build(api)
    answer = api.client.post(f"/1/slos/{DATASET}", json=BODIES["slo"] | change)
    assert (answer.status_code, said in answer.json()["error"]) == (422, True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"budget_rate_window_minutes": 59}, "budget_rate_window_minutes"),
        ({"budget_rate_window_minutes": 7 * 1440 + 1}, "budget_rate_window_minutes"),
        ({"alert_type": "exhaustion_time"}, "alert_type"),
        ({"recipients": []}, "recipients"),
        ({"recipients": [{"id": "nobody"}]}, "nobody"),
        ({"slo": {"id": "nothing"}}, "nothing"),
        ({"budget_rate_decrease_threshold_per_million": 0}, "threshold"),
    ],
)
def test_a_wrong_burn_alert_is_refused(api: Api, change: dict[str, Any], said: str) -> None:
    """422 names the field; a window under an hour is Honeycomb's own limit."""
    made = build(api)
    good = BODIES["alert"] | {
        "slo": {"id": made["slo"]["id"]},
        "recipients": [{"id": made["recipient"]["id"]}],
    }
    answer = api.client.post(f"/1/burn_alerts/{DATASET}", json=good | change)
    assert (answer.status_code, said in answer.json()["error"]) == (422, True)


def test_windows_of_minutes_need_the_flag_which_every_answer_shows(api: Api) -> None:
    """The one limit that can be lifted; /1/auth and every page say so."""
    made = build(api)
    api.standin.relaxed = True
    short = BODIES["alert"] | {
        "budget_rate_window_minutes": 2,
        "slo": {"id": made["slo"]["id"]},
        "recipients": [{"id": made["recipient"]["id"]}],
    }
    assert api.client.post(f"/1/burn_alerts/{DATASET}", json=short).status_code == 201
    assert "relaxed" in api.client.get("/1/auth").json()["sandbox"]
    assert "Relaxed here" in api.client.get("/").text


def test_burn_alerts_are_listed_by_slo_and_deleted(api: Api) -> None:
    """The list needs slo_id."""
    made = build(api)
    path = f"/1/burn_alerts/{DATASET}"
    assert api.client.get(path).status_code == 422
    listed = api.client.get(f"{path}?slo_id={made['slo']['id']}").json()
    whole = api.client.get(f"{path}/{made['alert']['id']}").json()
    assert whole == made["alert"]
    assert whole["recipients"][0]["target"] == "backburn"
    assert listed == [{name: whole[name] for name in whole if name != "recipients"}]
    assert api.client.delete(f"{path}/{made['alert']['id']}").status_code == 204
    assert api.client.get(f"{path}/{made['alert']['id']}").status_code == 404


def test_recipients_are_kept_while_an_alert_needs_them(api: Api) -> None:
    """409 on deleting one in use, and on a second of the same name."""
    made = build(api)
    path = f"/1/recipients/{made['recipient']['id']}"
    assert api.client.get(path).json() == made["recipient"]
    assert api.client.get("/1/recipients").json() == [made["recipient"]]
    assert api.client.delete(path).status_code == 409
    twin = {"type": "webhook", "details": made["recipient"]["details"]}
    assert api.client.post("/1/recipients", json=twin).status_code == 409
    api.client.delete(f"/1/burn_alerts/{DATASET}/{made['alert']['id']}")
    assert api.client.delete(path).status_code == 204


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"webhook_url": "ftp://x"}, "webhook_url"),
        ({"webhook_name": "x" * 256}, "webhook_name"),
        ({"webhook_headers": [{"header": "user-agent", "value": "x"}]}, "reserved"),
        ({"webhook_headers": [{"header": "a", "value": "x"}] * 6}, "webhook_headers"),
        ({"webhook_payloads": {"template_variables": [{"name": "Bad"}]}}, "Bad"),
        (
            {"webhook_payloads": {"payload_templates": {"budget_rate": {"body": "{{ if }}"}}}},
            "payload template",
        ),
    ],
)
def test_a_wrong_recipient_is_refused(api: Api, change: dict[str, Any], said: str) -> None:
    """422 says what is wrong."""
    details = {"webhook_name": "x", "webhook_url": "http://127.0.0.1/"} | change
    answer = api.client.post("/1/recipients", json={"type": "webhook", "details": details})
    assert (answer.status_code, said in answer.json()["error"]) == (422, True)


def test_putting_a_marker_erases_what_is_left_out(shop: Api) -> None:
    """As Honeycomb does."""
    path = f"/1/markers/{DATASET}"
    body = {"start_time": 5, "message": "resized", "type": "remediation", "url": "http://x"}
    made = shop.client.post(path, json=body)
    assert made.status_code == 201
    assert made.json().items() >= body.items()
    assert shop.client.get(path).json() == [made.json()]
    changed = shop.client.put(f"{path}/{made.json()['id']}", json={"start_time": 6}).json()
    assert changed["start_time"] == 6
    assert "message" not in changed
    shop.client.delete(f"{path}/{made.json()['id']}")
    assert shop.client.get(path).json() == []
