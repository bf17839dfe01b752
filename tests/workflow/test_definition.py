"""The state machine's file, held against the code it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backburn import errors
from backburn.ending import ENDINGS
from stacks.builds import BUILDSPECS
from stacks.functions import STEPS
from stacks.workflow import DEFINITION

ROOT = Path(__file__).parents[2]
STATES: dict[str, dict[str, Any]] = json.loads(DEFINITION.read_text())["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
LAMBDAS = {name: s for name, s in TASKS.items() if ":lambda:invoke" in s["Resource"]}
BUILDS = {name: s for name, s in TASKS.items() if ":codebuild:" in s["Resource"]}

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
AWS_ERRORS = {
    "States.Timeout",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.SdkClientException",
    "CodeBuild.AccountLimitExceededException",
}


def subclasses(root: type) -> set[str]:
    """The names of all classes below `root`, itself not among them."""
    found = {c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, root)}
    return {c.__name__ for c in found - {root}}


def names(field: str, state: dict[str, Any]) -> list[str]:
    """The errors that a state retries or catches."""
    return [error for rule in state.get(field, ()) for error in rule["ErrorEquals"]]


def transitions(state: dict[str, Any]) -> Iterator[str]:
    """Where a state may go."""
    for rule in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        for key in ("Next", "Default"):
            if key in rule:
                yield rule[key]


def test_every_error_it_names_is_ours_or_on_awss_list() -> None:
    """A class that is renamed must not silently stop being caught."""
    named = {e for s in TASKS.values() for field in ("Retry", "Catch") for e in names(field, s)}
    ours = {error for error in named if not re.match(r"(States|Lambda|CodeBuild)\.", error)}
    assert ours <= subclasses(errors.BackburnError)
    assert named - ours <= AWS_ERRORS


def test_every_answer_closes_the_incident() -> None:
    """Answers are caught; one that only builds give is the outcome of a choice."""
    caught = {error for state in TASKS.values() for error in names("Catch", state)}
    assert subclasses(errors.Answer) - caught == {"Refused"}
    for state in TASKS.values():
        assert {rule["Next"] for rule in state.get("Catch", ())} <= {"CloseIncident"}


def test_no_fault_is_caught() -> None:
    """Faults fail in place, red and redrivable: a caught error cannot be redriven."""
    caught = {error for state in TASKS.values() for error in names("Catch", state)}
    assert caught & subclasses(errors.Fault) == set()
    assert caught & {"States.ALL", "States.TaskFailed", "States.Runtime"} == set()


def test_what_may_heal_by_itself_is_retried_by_every_state_that_may_meet_it() -> None:
    """With a growing pause, a limit to it, and jitter, so that retries do not march in step."""
    honeycomb = {"QueryTraces", "ConfirmBurn", "Verify", "CloseIncident"}
    for name, state in TASKS.items():
        retried = set(names("Retry", state))
        if name in BUILDS:
            assert retried == {"CodeBuild.AccountLimitExceededException"}
            continue
        throttled = {error for error in AWS_ERRORS if error.startswith("Lambda.")}
        ours = subclasses(errors.Retryable) if name in honeycomb else set()
        assert retried == throttled | ours
    for rule in (rule for state in TASKS.values() for rule in state["Retry"]):
        assert set(rule) == {
            "ErrorEquals",
            "IntervalSeconds",
            "BackoffRate",
            "MaxAttempts",
            "MaxDelaySeconds",
            "JitterStrategy",
        }
        assert (rule["JitterStrategy"], rule["BackoffRate"]) == ("FULL", 2)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_no_task_waits_for_ever(name: str) -> None:
    """Without a timeout, a lost callback holds an execution for a year."""
    timeout = TASKS[name]["TimeoutSeconds"]
    assert timeout == "{% $plan.approval_seconds %}" if name == "RequestApproval" else timeout > 0


def test_a_function_gives_up_before_its_state_does() -> None:
    """So that what went wrong is said by the function, and not by a clock."""
    for spec in STEPS:
        timeout = TASKS[spec.name]["TimeoutSeconds"]
        if isinstance(timeout, int):
            assert spec.seconds < timeout


def test_every_task_is_a_step_of_that_name_and_every_step_a_task() -> None:
    """A newcomer finds the code of a state by its name."""
    files = {p.stem for p in (ROOT / "lambdas/backburn/steps").glob("*.py")} - {"__init__"}
    assert {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in TASKS} == files


def test_every_function_of_the_stack_runs_the_state_of_its_name() -> None:
    """The placeholder, the state and the function have one name."""
    assert {spec.name for spec in STEPS} == set(LAMBDAS)
    for name, state in LAMBDAS.items():
        assert state["Arguments"]["FunctionName"] == f"${{{name}}}"


def test_a_build_is_given_variables_and_nothing_else() -> None:
    """Law 9: what runs, where and as whom is the project's, and nobody's to override."""
    given = {"INCIDENT", "ATTEMPT", "WORKLOAD"}
    for name, state in BUILDS.items():
        assert set(state["Arguments"]) == {"ProjectName", "EnvironmentVariablesOverride"}
        variables = state["Arguments"]["EnvironmentVariablesOverride"]
        assert all(set(variable) == {"Name", "Value"} for variable in variables)
        told = {variable["Name"]: variable["Value"] for variable in variables}
        step = {} if name == "PreviewPatch" else {"STEP": told.pop("STEP", None)}
        assert set(told) == given
        assert step in ({}, {"STEP": "apply_patch"}, {"STEP": "roll_back"})
        project = "PreviewProject" if name == "PreviewPatch" else "DeployProject"
        assert state["Arguments"]["ProjectName"] == f"${{{project}}}"


def test_the_buildspecs_run_the_steps_and_export_what_the_definition_reads() -> None:
    """OUTCOME and REASON always, and the key of the document."""
    preview, deploy = ((BUILDSPECS / f"{name}.yml").read_text() for name in ("preview", "deploy"))
    assert "python3 -m backburn.steps.preview_patch" in preview
    assert "exported-variables: [OUTCOME, REASON, PREVIEW]" in preview
    assert "apply_patch | roll_back)" in deploy
    assert "exported-variables: [OUTCOME, REASON, UPDATE]" in deploy


def test_every_state_is_reached_and_leads_on() -> None:
    """No transition into nothing, no state that only reads well."""
    reached = {target for state in STATES.values() for target in transitions(state)}
    assert reached | {"QueryTraces"} == set(STATES)
    assert {name for name, state in STATES.items() if state.get("End")} == {"CloseIncident"}
    for state in STATES.values():
        if state["Type"] == "Choice":
            assert all("Next" in rule for rule in state["Choices"])


def test_every_state_says_what_it_is_for() -> None:
    """The file is the documentation of the flow."""
    assert {name for name, state in STATES.items() if len(state.get("Comment", "")) < 20} == set()


def test_every_outcome_has_an_ending_and_every_ending_an_outcome() -> None:
    """CloseIncident knows what each of them means for the record and its people."""
    written = {
        rule["Output"]["outcome"]
        for state in STATES.values()
        for rule in (*state.get("Choices", ()), *state.get("Catch", ()))
        if "Output" in rule
    }
    caught = {
        error
        for state in TASKS.values()
        for rule in state.get("Catch", ())
        if rule["Output"]["outcome"].startswith("{%")
        for error in rule["ErrorEquals"]
    }
    assert {outcome for outcome in written if not outcome.startswith("{%")} | caught == set(ENDINGS)
