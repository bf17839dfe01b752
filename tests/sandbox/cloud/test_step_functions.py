"""Step Functions: errors by class, task tokens, retries, names, time limits, redrive."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.sandbox.cloud.world import Cloud, eventually

FUNCTION = """
import boto3, json, os

class Rejected(Exception):
    pass

def handler(event, context):
    if event.get("raise"):
        raise Rejected("no\\nmore")
    if event.get("exit"):
        os._exit(3)
    if event.get("token"):
        boto3.client("ssm").put_parameter(Name="/token", Value=event["token"], Type="String", Overwrite=True)
    return {"path": os.environ.get("PYTHONPATH")}
"""


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    """A function that raises, exits or tells its token."""
    return cloud.function(FUNCTION)


def call(function: str, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A machine whose one state calls the function."""
    return {
        "A": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": function, "Payload": payload},
            "End": True,
            **more,
        }
    }


def ask(function: str, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The same, waiting for the token."""
    state = call(function, payload | {"token": "{% $states.context.Task.Token %}"}, **more)
    state["A"]["Resource"] += ".waitForTaskToken"
    return state


def caught(*errors: str) -> dict[str, Any]:
    """A Catch that says what it caught."""
    output = "{% $states.errorOutput.Error %}"
    return {"Catch": [{"ErrorEquals": list(errors), "Next": "B", "Output": output}]}


B = {"B": {"Type": "Pass", "End": True}}


def test_an_error_is_caught_by_its_class(cloud: Cloud, function: str) -> None:
    """What a handler raises has its class's name; the message survives in the cause."""
    states = call(function, {"raise": True}, **caught("Rejected")) | B
    assert cloud.execute(states)["output"] == '"Rejected"'
    failed = cloud.execute(call(function, {"raise": True}))
    assert json.loads(failed["cause"])["errorMessage"] == "no\nmore"


def test_a_function_that_dies_is_an_exit_error(cloud: Cloud, function: str) -> None:
    """os._exit is Runtime.ExitError, as on Lambda."""
    assert cloud.execute(call(function, {"exit": True}))["error"] == "Runtime.ExitError"


def test_a_function_that_cannot_be_imported_says_so(cloud: Cloud) -> None:
    """An import error is Runtime.ImportModuleError."""
    function = cloud.function("import nowhere\n")
    assert cloud.execute(call(function, {}))["error"] == "Runtime.ImportModuleError"


def test_a_function_does_not_see_the_checkout(cloud: Cloud, function: str) -> None:
    """Functions import from their asset and their interpreter, not from this repository."""
    output = cloud.execute(call(function, {}))["output"]
    assert None is json.loads(output)["Payload"]["path"]


def test_a_raising_function_fails_the_waiting_task(cloud: Cloud, function: str) -> None:
    """Under waitForTaskToken the error of the call itself ends the state."""
    states = ask(function, {"raise": True}, TimeoutSeconds=60, **caught("Rejected")) | B
    assert cloud.execute(states)["output"] == '"Rejected"'


def test_a_token_without_an_answer_times_out(cloud: Cloud, function: str) -> None:
    """TimeoutSeconds may be an expression, and its error is States.Timeout."""
    limit = "{% $states.input.limit %}"
    states = ask(function, {}, TimeoutSeconds=limit, **caught("States.Timeout")) | B
    assert cloud.execute(states, {"limit": 1})["output"] == '"States.Timeout"'


def test_a_missed_heartbeat_fails_the_task(cloud: Cloud, function: str) -> None:
    """HeartbeatSeconds is kept."""
    states = ask(function, {}, HeartbeatSeconds=1, **caught("States.HeartbeatTimeout")) | B
    assert cloud.execute(states)["output"] == '"States.HeartbeatTimeout"'


def test_the_first_answer_to_a_token_wins(cloud: Cloud, function: str) -> None:
    """A second answer is refused, whether the state woke already or not."""
    sfn = cloud("stepfunctions")
    execution, token = waiting(cloud, function)
    sfn.send_task_success(taskToken=token, output='{"decision": "approve"}')
    for _ in range(2):
        with pytest.raises((sfn.exceptions.TaskTimedOut, sfn.exceptions.TaskDoesNotExist)):
            sfn.send_task_failure(taskToken=token, error="Rejected", cause="late")
        time.sleep(0.3)
    assert json.loads(cloud.ended(execution)["output"]) == {"decision": "approve"}


def test_nobody_waits_on_the_token_of_a_stopped_execution(cloud: Cloud, function: str) -> None:
    """StopExecution voids the tokens of the execution."""
    sfn = cloud("stepfunctions")
    execution, token = waiting(cloud, function)
    sfn.stop_execution(executionArn=execution)
    with pytest.raises(sfn.exceptions.TaskDoesNotExist):
        sfn.send_task_success(taskToken=token, output="{}")
    assert cloud.ended(execution)["status"] == "ABORTED"


def test_each_attempt_has_a_token_of_its_own(cloud: Cloud, function: str) -> None:
    """A late answer to the first attempt does not decide the second."""
    sfn, ssm = cloud("stepfunctions"), cloud("ssm")
    retry = {"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}
    execution, first = waiting(cloud, function, Retry=[retry])
    sfn.send_task_failure(taskToken=first, error="Again", cause="once more")
    second = eventually(
        lambda: ssm.get_parameter(Name="/token")["Parameter"]["Value"], lambda t: t != first
    )
    with pytest.raises(sfn.exceptions.TaskDoesNotExist):
        sfn.send_task_success(taskToken=first, output='"late"')
    sfn.send_task_success(taskToken=second, output='"in time"')
    assert cloud.ended(execution)["output"] == '"in time"'


def waiting(cloud: Cloud, function: str, **more: Any) -> tuple[str, str]:
    """An execution that waits, and its token."""
    ssm = cloud("ssm")
    ssm.put_parameter(Name="/token", Value="none", Type="String", Overwrite=True)
    execution = cloud.start(cloud.machine(ask(function, {}, **more)))
    token = eventually(
        lambda: ssm.get_parameter(Name="/token")["Parameter"]["Value"], lambda t: t != "none"
    )
    return execution, token


def test_the_same_name_and_input_is_the_same_execution(cloud: Cloud) -> None:
    """StartExecution is idempotent while the execution runs, and refuses another input."""
    sfn = cloud("stepfunctions")
    machine = cloud.machine({"A": {"Type": "Wait", "Seconds": 2, "End": True}})
    first = sfn.start_execution(stateMachineArn=machine, name="one", input="{}")
    again = sfn.start_execution(stateMachineArn=machine, name="one", input="{}")
    assert first["executionArn"] == again["executionArn"]
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        sfn.start_execution(stateMachineArn=machine, name="one", input='{"other": 1}')


def test_a_retrier_keeps_to_its_longest_delay(cloud: Cloud, function: str) -> None:
    """MaxDelaySeconds bounds the growing delay between attempts."""
    retry = {"ErrorEquals": ["Rejected"], "IntervalSeconds": 1, "BackoffRate": 60}
    retry |= {"MaxAttempts": 2, "MaxDelaySeconds": 1, "JitterStrategy": "FULL"}
    execution = cloud.execute(call(function, {"raise": True}, Retry=[retry]))
    assert execution["error"] == "Rejected"
    assert len(events(cloud, execution, "TaskFailed")) == 3


def test_a_machine_past_its_time_is_timed_out(cloud: Cloud) -> None:
    """TimeoutSeconds of the machine ends the execution as TIMED_OUT."""
    states = {"A": {"Type": "Wait", "Seconds": 60, "End": True}}
    assert cloud.execute(states, TimeoutSeconds=1)["status"] == "TIMED_OUT"


def test_too_much_data_is_refused(cloud: Cloud) -> None:
    """Over 256 KiB an input is refused and a state's output fails the execution."""
    sfn = cloud("stepfunctions")
    big = {"A": {"Type": "Pass", "Output": "{% $pad('x', 300000) %}", "End": True}}
    with pytest.raises(sfn.exceptions.InvalidExecutionInput):
        cloud.start(cloud.machine(big), "x" * 262_144)
    assert cloud.execute(big)["error"] == "States.DataLimitExceeded"


def test_a_redriven_execution_goes_on_where_it_failed(cloud: Cloud) -> None:
    """States that succeeded are not run again; variables are as they were."""
    sfn, ssm = cloud("stepfunctions"), cloud("ssm")
    read = "arn:aws:states:::aws-sdk:ssm:getParameter"
    states = {
        "A": {"Type": "Pass", "Assign": {"kept": "yes"}, "Next": "Read"},
        "Read": {
            "Type": "Task",
            "Resource": read,
            "Arguments": {"Name": "/mended"},
            "Output": "{% $kept & $states.result.Parameter.Value %}",
            "End": True,
        },
    }
    failed = cloud.execute(states)
    assert (failed["status"], failed["redriveStatus"]) == ("FAILED", "REDRIVABLE")
    ssm.put_parameter(Name="/mended", Value="!", Type="String")
    sfn.redrive_execution(executionArn=failed["executionArn"])
    redriven = cloud.ended(failed["executionArn"])
    assert tuple(redriven[key] for key in ("status", "output", "redriveCount")) == (
        "SUCCEEDED",
        '"yes!"',
        1,
    )
    assert len(events(cloud, redriven, "PassStateEntered")) == 1
    assert len(events(cloud, redriven, "ExecutionRedriven")) == 1


def events(cloud: Cloud, execution: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The events of one kind."""
    history = cloud("stepfunctions").get_execution_history(
        executionArn=execution["executionArn"], maxResults=1000
    )["events"]
    return [event for event in history if event["type"] == kind]
