"""The incidents table: the fake and DynamoDB keep the same promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backburn.adapters.dynamodb_incidents import DynamoIncidents
from backburn.incident import Incident, Status
from backburn.ports import Incidents
from tests.fakes.incidents import FakeIncidents

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(params=["fake", "dynamodb"])
def incidents(request: pytest.FixtureRequest) -> Incidents:
    """An empty table."""
    if request.param == "fake":
        return FakeIncidents()
    client, table = request.getfixturevalue("incidents_table")
    return DynamoIncidents(client, table)


def incident(name: str = "chatbot-1", slo: str = "chat-latency", **fields: object) -> Incident:
    """An incident of one firing."""
    known = {"id": name, "workload": "chatbot", "slo": slo, "alert": "i-1", "summary": "burns"}
    return Incident.model_validate(known | {"opened": NOW} | fields)


def test_law_8_a_delivery_is_recorded_once(incidents: Incidents) -> None:
    """The same id a second time is known, whatever its body."""
    assert incidents.record_delivery("d1", "{}", NOW)
    assert not incidents.record_delivery("d1", "other", LATER)
    assert incidents.unsettled_deliveries(LATER) == [("d1", "{}")]


def test_law_8_only_what_is_old_and_unsettled_is_swept(incidents: Incidents) -> None:
    """A settled delivery is left alone, and so is one that is still in hand."""
    for name in ("d1", "d2"):
        incidents.record_delivery(name, "{}", NOW)
    incidents.settle_delivery("d1", "a test")
    assert incidents.unsettled_deliveries(NOW) == []
    assert incidents.unsettled_deliveries(LATER) == [("d2", "{}")]


def test_an_unknown_slo_is_told_once_an_hour(incidents: Incidents) -> None:
    """By SLO; the delivery that was first may ask again."""
    assert incidents.first_of_hour("s", "d1", NOW)
    assert not incidents.first_of_hour("s", "d2", LATER)
    assert incidents.first_of_hour("t", "d2", LATER)
    assert incidents.first_of_hour("s", "d1", LATER)
    assert not incidents.first_of_hour("s", "d3", LATER + timedelta(minutes=59))
    assert incidents.first_of_hour("s", "d3", LATER + timedelta(hours=1))


def test_an_incident_is_kept_as_it_was_opened(incidents: Incidents) -> None:
    """What goes in comes out."""
    assert incidents.open(incident()) == incident()
    assert incidents.get("chatbot-1") == incident()


def test_an_unknown_incident_is_a_key_error(incidents: Incidents) -> None:
    """Nothing is invented."""
    with pytest.raises(KeyError):
        incidents.get("chatbot-9")


def test_nothing_is_noted_on_an_unknown_incident(incidents: Incidents) -> None:
    """A note must not create a record."""
    with pytest.raises(KeyError):
        incidents.note("chatbot-9", NOW, "sweep", "hello")


def test_at_most_one_incident_is_open_per_slo(incidents: Incidents) -> None:
    """A second firing gets the incident that is already open; another SLO gets its own."""
    incidents.open(incident())
    assert incidents.open(incident("chatbot-2")).id == "chatbot-1"
    assert incidents.open(incident("chatbot-3", slo="other")).id == "chatbot-3"
    with pytest.raises(KeyError):
        incidents.get("chatbot-2")


@pytest.mark.parametrize("status", [s for s in Status if not s.holds])
def test_a_closed_incident_frees_its_slo(incidents: Incidents, status: Status) -> None:
    """The next firing opens an incident of its own."""
    incidents.open(incident())
    incidents.set_status("chatbot-1", status, "done", NOW)
    assert incidents.open(incident("chatbot-2")).id == "chatbot-2"


@pytest.mark.parametrize("status", [s for s in Status if s.holds])
def test_an_incident_in_hand_keeps_its_slo(incidents: Incidents, status: Status) -> None:
    """Parked and applied are not over."""
    incidents.open(incident())
    incidents.set_status("chatbot-1", status, "", NOW)
    assert incidents.open(incident("chatbot-2")).id == "chatbot-1"


def test_opening_again_returns_the_earlier_record(incidents: Incidents) -> None:
    """The same firing finds its own record, even when it is closed and another one is open."""
    incidents.open(incident())
    incidents.set_status("chatbot-1", Status.CLOSED, "not ours", NOW)
    incidents.open(incident("chatbot-2"))
    assert incidents.open(incident()).status is Status.CLOSED


def test_status_and_reason_are_kept(incidents: Incidents) -> None:
    """What closes an incident is on its record."""
    incidents.open(incident())
    incidents.set_status("chatbot-1", Status.HELD, "the burn ended", NOW)
    record = incidents.get("chatbot-1")
    assert (record.status, record.reason) == (Status.HELD, "the burn ended")


def test_notes_are_kept_in_order_and_once(incidents: Incidents) -> None:
    """A state that runs again does not write its line again."""
    incidents.open(incident())
    incidents.note("chatbot-1", NOW, "Verify", "look 1")
    incidents.note("chatbot-1", LATER, "Verify", "look 2")
    incidents.note("chatbot-1", LATER + timedelta(1), "Verify", "look 1")
    notes = incidents.get("chatbot-1").notes
    assert [(n.at, n.text) for n in notes] == [(NOW, "look 1"), (LATER, "look 2")]


def test_recent_incidents_come_newest_first(incidents: Incidents) -> None:
    """The operator's list."""
    incidents.open(incident())
    incidents.open(incident("chatbot-2", slo="other", opened=LATER))
    assert [i.id for i in incidents.recent()] == ["chatbot-2", "chatbot-1"]
    assert [i.id for i in incidents.recent(1)] == ["chatbot-2"]


def test_whoever_awaits_an_ok_is_found_until_it_came(incidents: Incidents) -> None:
    """The sweep looks for incidents whose window has passed."""
    incidents.open(incident())
    incidents.set_status("chatbot-1", Status.AWAITING_OK, "recovered", NOW)
    assert incidents.awaiting_ok(NOW) == []
    assert incidents.awaiting_ok(LATER) == ["chatbot-1"]
    incidents.set_status("chatbot-1", Status.RECOVERED, "OK came", LATER)
    assert incidents.awaiting_ok(LATER) == []


def test_a_new_attempt_reopens_and_counts(incidents: Incidents) -> None:
    """Attempt 2, 3, ... of the same incident; it holds its SLO again."""
    incidents.open(incident())
    incidents.set_status("chatbot-1", Status.AWAITING_OK, "recovered", NOW)
    assert incidents.next_attempt("chatbot-1") == 2
    assert incidents.next_attempt("chatbot-1") == 3
    record = incidents.get("chatbot-1")
    assert (record.status, record.attempt, record.reason) == (Status.OPEN, 3, "")
    assert incidents.awaiting_ok(LATER) == []
    assert incidents.open(incident("chatbot-2")).id == "chatbot-1"


def test_no_new_attempt_beside_another_open_incident(incidents: Incidents) -> None:
    """At most one open per SLO holds for attempts as well."""
    incidents.open(incident())
    incidents.set_status("chatbot-1", Status.CLOSED, "expired", NOW)
    incidents.open(incident("chatbot-2"))
    with pytest.raises(LookupError, match="chatbot-2"):
        incidents.next_attempt("chatbot-1")
    assert incidents.get("chatbot-1").status is Status.CLOSED


def test_one_change_in_flight_per_stack(incidents: Incidents) -> None:
    """The second incident is told who holds the stack, until that one is closed."""
    incidents.open(incident())
    incidents.open(incident("chatbot-2", slo="other"))
    assert incidents.claim_stack("dev", "chatbot-1") == "chatbot-1"
    assert incidents.claim_stack("dev", "chatbot-1") == "chatbot-1"
    assert incidents.claim_stack("dev", "chatbot-2") == "chatbot-1"
    incidents.set_status("chatbot-1", Status.PARKED, "a fault", NOW)
    assert incidents.claim_stack("dev", "chatbot-2") == "chatbot-1"
    incidents.set_status("chatbot-1", Status.CLOSED, "rejected", NOW)
    assert incidents.claim_stack("dev", "chatbot-2") == "chatbot-2"


def test_law_10_changes_of_a_day_are_capped(incidents: Incidents) -> None:
    """An incident counts once; the cap is per workload and day; a cap of 0 allows none."""
    assert incidents.count_change("chatbot", "2026-11-24", 1, "chatbot-1")
    assert incidents.count_change("chatbot", "2026-11-24", 1, "chatbot-1")
    assert not incidents.count_change("chatbot", "2026-11-24", 1, "chatbot-2")
    assert incidents.count_change("chatbot", "2026-11-25", 1, "chatbot-2")
    assert not incidents.count_change("other", "2026-11-24", 0, "other-1")
