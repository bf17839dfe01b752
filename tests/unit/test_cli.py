from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from backburn import wiring
from backburn.__main__ import _parser, close, document, known, listed, main, retry, shown
from backburn.errors import Malformed
from backburn.incident import Incident, Status, artifact_key
from backburn.ports import Failure
from tests.fakes import proposals
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.incidents import FakeIncidents
from tests.fakes.proposals import NOW
from tests.fakes.workflow import FakeWorkflow

NAME = proposals.incident().id


@pytest.fixture
def incidents() -> FakeIncidents:
    """One parked incident."""
    made = FakeIncidents()
    made.open(proposals.incident())
    made.set_status(NAME, Status.PARKED, "the key is refused", NOW)
    return made


def test_incidents_are_listed_one_a_line(incidents: FakeIncidents) -> None:
    """When, which, how it stands, why."""
    (line,) = listed(incidents.recent()).splitlines()
    assert line.split() == ["2026-11-24", "05:58", NAME, "parked", "the", "key", "is", "refused"]


def test_no_incidents_is_an_answer() -> None:
    """Not an empty line."""
    assert listed([]) == "no incidents are on record"


def test_an_incident_is_shown_with_its_timeline_and_documents(incidents: FakeIncidents) -> None:
    """Everything a person asks first."""
    incidents.note(NAME, NOW, "QueryTraces", "8 queries")
    artifacts = FakeArtifacts()
    artifacts.write(artifact_key(NAME, 1, "evidence"), b"{}")
    text = shown(incidents.get(NAME), artifacts)
    assert text.startswith(f"{NAME}: parked, the key is refused\n")
    assert "06:00:00  QueryTraces         8 queries" in text
    assert text.endswith(f"  incidents/{NAME}/1/evidence.json")
    assert "diagnosis" not in text


def test_a_document_is_the_newest_attempt_s(incidents: FakeIncidents) -> None:
    """An attempt that did not come so far does not hide what an earlier one found."""
    incidents.next_attempt(NAME)
    artifacts = FakeArtifacts()
    artifacts.write(artifact_key(NAME, 1, "evidence"), b'{"numbers": []}')
    assert document(incidents.get(NAME), "evidence", artifacts) == '{"numbers": []}'
    with pytest.raises(Malformed, match="has no update: it did not come so far"):
        document(incidents.get(NAME), "update", artifacts)


def test_a_retry_is_another_execution(incidents: FakeIncidents) -> None:
    """`<id>-2`, with the input of the first but for the attempt."""
    workflow = FakeWorkflow()
    assert retry(NAME, incidents, workflow, NOW) == f"{NAME}-2 is running"
    expected = {"incident": NAME, "attempt": 2, "workload": "chatbot", "slo": "chat-latency"}
    assert workflow.started == {f"{NAME}-2": expected}
    assert incidents.get(NAME).status is Status.OPEN
    assert incidents.get(NAME).notes[-1].text == f"attempt 2 was started as {NAME}-2"


def at_work() -> FakeWorkflow:
    """A state machine that works on the incident."""
    workflow = FakeWorkflow()
    workflow.start(NAME, {})
    return workflow


@pytest.mark.parametrize("status", [Status.OPEN, Status.APPLIED, Status.PARKED])
def test_what_is_being_handled_is_left_alone(incidents: FakeIncidents, status: Status) -> None:
    """Two executions must never work on one incident; a redriven one leaves it `parked`."""
    incidents.set_status(NAME, status, "", NOW)
    said = f"handled by the execution {NAME}: stop that first"
    with pytest.raises(Malformed, match=said):
        retry(NAME, incidents, at_work(), NOW)
    with pytest.raises(Malformed, match=said):
        close(NAME, "no", incidents, at_work(), NOW)


@pytest.mark.parametrize("status", [Status.OPEN, Status.APPLIED])
def test_what_could_not_be_parked_is_retried_or_closed(
    incidents: FakeIncidents, status: Status
) -> None:
    """The record says that it is being handled, but its execution has ended."""
    workflow = at_work()
    workflow.failures[NAME] = Failure(state="Diagnose", error="KeyError", cause="")
    incidents.set_status(NAME, status, "", NOW)
    assert retry(NAME, incidents, workflow, NOW) == f"{NAME}-2 is running"
    workflow.failures[f"{NAME}-2"] = workflow.failures[NAME]
    assert close(NAME, "given up", incidents, workflow, NOW) == f"{NAME} is closed: given up"


def test_what_is_not_on_record_is_said_so(incidents: FakeIncidents) -> None:
    """By every command that takes a name."""
    with pytest.raises(Malformed, match="no incident chat-9 is on record: `incidents` lists"):
        known("chat-9", incidents)
    for command in (
        lambda: retry("chat-9", incidents, FakeWorkflow(), NOW),
        lambda: close("chat-9", "", incidents, FakeWorkflow(), NOW),
    ):
        with pytest.raises(Malformed, match="no incident chat-9"):
            command()


def test_every_look_of_verify_is_shown(incidents: FakeIncidents) -> None:
    """However many there were, after the change and after the rollback."""
    artifacts = FakeArtifacts()
    looks = ["verdict-1", "verdict-2", "verdict-rollback-1"]
    for name in looks:
        artifacts.write(artifact_key(NAME, 1, name), b"{}")
    text = shown(incidents.get(NAME), artifacts)
    assert [line.strip() for line in text.splitlines()[-3:]] == [
        artifact_key(NAME, 1, name) for name in looks
    ]


@pytest.mark.parametrize("name", ["evidence", "verdict-12", "verdict-rollback-1"])
def test_every_document_can_be_asked_for(name: str) -> None:
    """A look by its number."""
    assert _parser().parse_args(["show", NAME, "--document", name]).document == name


@pytest.mark.parametrize("name", ["verdict", "verdict-0", "verdict-1.json", "../x", "all"])
def test_any_other_document_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the names there are."""
    with pytest.raises(SystemExit):
        _parser().parse_args(["show", NAME, "--document", name])
    said = capsys.readouterr().err
    assert f"'{name}' is none of evidence, diagnosis" in said
    assert "verdict-LOOK or verdict-rollback-LOOK" in said


def test_no_retry_beside_another_open_incident(incidents: FakeIncidents) -> None:
    """The operator is told which one."""
    incidents.set_status(NAME, Status.CLOSED, "expired", NOW)
    other = Incident.model_validate(
        proposals.incident("chatbot-2").model_dump() | {"opened": NOW + timedelta(1)}
    )
    incidents.open(other)
    with pytest.raises(Malformed, match="another open incident, chatbot-2"):
        retry(NAME, incidents, FakeWorkflow(), NOW)


def test_a_retry_that_cannot_start_is_parked_again(incidents: FakeIncidents) -> None:
    """Not left open with nothing running."""

    class Broken(FakeWorkflow):
        def start(self, name: str, payload: object) -> None:
            raise RuntimeError("access denied")

    with pytest.raises(Malformed, match="could not be started: access denied"):
        retry(NAME, incidents, Broken(), NOW)
    assert incidents.get(NAME).status is Status.PARKED


def test_a_parked_incident_is_closed_by_hand(incidents: FakeIncidents) -> None:
    """Its SLO is free again."""
    said = close(NAME, "mended by hand", incidents, FakeWorkflow(), NOW)
    assert said == f"{NAME} is closed: mended by hand"
    assert incidents.open(proposals.incident("chatbot-2")).id == "chatbot-2"


def test_what_has_ended_is_not_closed_again(incidents: FakeIncidents) -> None:
    """How it ended stays on record."""
    incidents.set_status(NAME, Status.ROLLED_BACK, "worse", NOW)
    with pytest.raises(Malformed, match="rolled_back: it holds nothing"):
        close(NAME, "no", incidents, FakeWorkflow(), NOW)
    assert incidents.get(NAME).reason == "worse"


def test_a_region_that_is_missing_is_named_with_the_way_to_set_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The SDK's own words say what is wrong and not what to do."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    wiring._aws.cache_clear()
    assert main(["--stack", "Backburn", "incidents"]) == 1
    assert "set AWS_DEFAULT_REGION" in capsys.readouterr().err


def test_an_environment_that_is_missing_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is missing, and how to give it; no traceback."""
    monkeypatch.delenv("BACKBURN_INCIDENTS_TABLE", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert main(["incidents"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("backburn: BACKBURN_INCIDENTS_TABLE is not set")
    assert "--stack" in said


@pytest.mark.parametrize("arguments", [[], ["show"], ["burn"]])
def test_a_wrong_command_is_explained(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """By argparse, with usage."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m backburn" in capsys.readouterr().err
