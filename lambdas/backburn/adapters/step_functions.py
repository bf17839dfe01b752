"""The state machine on Step Functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from backburn.ports import Failure

from .aws import code

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

# A second or a late answer. InvalidToken is what a token of a finished execution may get, too.
NOBODY_WAITS = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
AT_WORK = frozenset({"RUNNING", "PENDING_REDRIVE"})
ERROR_LIMIT, CAUSE_LIMIT = 256, 32_768
ENDINGS = tuple(f"execution{how}EventDetails" for how in ("Failed", "TimedOut", "Aborted"))


class StepFunctions:
    """The workflow. Inputs are canonical: a name started twice must have the same input."""

    def __init__(self, client: SFNClient, state_machine: str) -> None:
        self._client = client
        self._state_machine = state_machine

    def start(self, name: str, payload: Mapping[str, Any]) -> None:
        text = json.dumps(payload, sort_keys=True)
        try:
            self._client.start_execution(stateMachineArn=self._state_machine, name=name, input=text)
        except ClientError as error:
            if code(error) != "ExecutionAlreadyExists":
                raise

    def succeed(self, token: str, output: Mapping[str, Any]) -> None:
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            raise _nobody(error) from error

    def fail(self, token: str, error: str, cause: str) -> None:
        try:
            self._client.send_task_failure(
                taskToken=token, error=error[:ERROR_LIMIT], cause=cause[:CAUSE_LIMIT]
            )
        except ClientError as refused:
            raise _nobody(refused) from refused

    def running(self, name: str) -> bool:
        try:
            told = self._client.describe_execution(executionArn=self._arn(name))
        except ClientError as error:
            if code(error) != "ExecutionDoesNotExist":
                raise
            return False
        return told["status"] in AT_WORK

    def failure(self, name: str) -> Failure:
        events = self._client.get_execution_history(
            executionArn=self._arn(name),
            reverseOrder=True,
            maxResults=100,
            includeExecutionData=True,
        )["events"]
        told: list[Mapping[str, Any]] = [*events]
        # After a redrive there are several endings: the last one counts.
        ending: Mapping[str, str] = next(
            (event[key] for event in told for key in ENDINGS if key in event), {}
        )
        entered = (e for e in told if e["type"].endswith("StateEntered"))
        state = next((e["stateEnteredEventDetails"]["name"] for e in entered), "its start")
        return Failure(state=state, error=ending.get("error", ""), cause=ending.get("cause", ""))

    def _arn(self, name: str) -> str:
        return f"{self._state_machine.replace(':stateMachine:', ':execution:')}:{name}"


def _nobody(error: ClientError) -> Exception:
    if code(error) in NOBODY_WAITS:
        return LookupError(f"nobody waits on this task token any more ({code(error)})")
    return error
