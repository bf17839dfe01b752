"""What an operator must mend, played through the real definition with short retries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from backburn.adapters.step_functions import StepFunctions
from backburn.events.park_incident import said
from sandbox.cloud.deploy import client
from tests.workflow.theatre import ROLE, Theatre

Parameter = Callable[[str, str], None]


@pytest.fixture(scope="module")
def impatient(theatre: Theatre) -> Iterator[Theatre]:
    """The same definition, but for pauses of a second between retries."""
    machines = client("stepfunctions", theatre.endpoint)
    patient = theatre.machine
    definition = machines.describe_state_machine(stateMachineArn=patient)["definition"]
    for pause in ("IntervalSeconds", "MaxDelaySeconds"):
        definition = re.sub(rf'"{pause}": \d+', f'"{pause}": 1', definition)
    definition = re.sub(r'"BackoffRate": \d+', '"BackoffRate": 1', definition)
    definition = re.sub(r'"MaxAttempts": \d+', '"MaxAttempts": 1', definition)
    theatre.machine = machines.create_state_machine(
        name="Impatient", roleArn=ROLE, definition=definition
    )["stateMachineArn"]
    yield theatre
    theatre.machine = patient


@pytest.fixture
def parameter(impatient: Theatre) -> Iterator[Parameter]:
    """Sets a knob of the local AWS, and removes it afterwards."""
    ssm, names = client("ssm", impatient.endpoint), []

    def put(name: str, value: str) -> None:
        names.append(name)
        ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    yield put
    ssm.delete_parameters(Names=names)


def sentence(theatre: Theatre, incident: str) -> tuple[str, str]:
    """(state, words) as the operators are told of the failed execution."""
    workflow = StepFunctions(client("stepfunctions", theatre.endpoint), theatre.machine)
    failure = workflow.failure(incident)
    return failure.state, said(failure)


@pytest.mark.parametrize("state", ["QueryTraces", "ConfirmBurn", "Verify"])
@pytest.mark.parametrize("fault", ["HoneycombUnreachable", "HoneycombRateLimited"])
def test_a_honeycomb_that_stays_away_fails_in_place(
    impatient: Theatre, state: str, fault: str
) -> None:
    """After its retries; nothing is closed, and the operators are told its words."""
    run = impatient.play({state: [{"raise": fault, "says": "Honeycomb is away"}]})
    assert (run.status, run.error) == ("FAILED", fault)
    assert len(run.calls(state)) == 2
    assert run.calls("CloseIncident") == []
    assert sentence(impatient, run.folder.name) == (state, f"{fault}: Honeycomb is away")


def test_an_account_without_room_for_a_build_fails_in_place(
    impatient: Theatre, parameter: Parameter
) -> None:
    """StartBuild is refused until the retries are used up."""
    parameter("/sandbox/codebuild/limit", "0")
    run = impatient.play()
    assert (run.status, run.error) == ("FAILED", "CodeBuild.AccountLimitExceededException")
    state, words = sentence(impatient, run.folder.name)
    assert state == "PreviewPatch"
    assert words.startswith("CodeBuild.AccountLimitExceededException: ")


def test_a_build_without_its_image_fails_in_place_with_its_words(
    impatient: Theatre, parameter: Parameter
) -> None:
    """It ends before its first command, so it has no log to read."""
    parameter("/sandbox/codebuild/provisioning", "Unable to pull the image")
    run = impatient.play()
    assert (run.status, run.error) == ("FAILED", "States.TaskFailed")
    state, words = sentence(impatient, run.folder.name)
    assert state == "PreviewPatch"
    assert "at PROVISIONING (Unable to pull the image)" in words
    assert run.calls("CloseIncident") == []
