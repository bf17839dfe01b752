"""Step Functions closer to AWS: waiting for builds, task tokens, retries, names.

What ministack 1.5.33 does otherwise, and what is done about it here:
- `codebuild:startBuild[.sync]` and `aws-sdk:codebuild:*` are States.Runtime errors: added.
- A function that raises under waitForTaskToken is ignored and the state waits for its timeout:
  the task fails at once, as on AWS.
- HeartbeatSeconds is ignored, and TimeoutSeconds or HeartbeatSeconds as JSONata crash: both work.
- A task token answered twice before its state woke takes the second answer, and tokens outlive
  a stopped execution: the first answer wins, the others get TaskTimedOut or TaskDoesNotExist.
- MaxDelaySeconds and JitterStrategy of a retrier are ignored: applied.
- StartExecution with the name and input of a running execution fails: it answers with it.
- A throttled function is `Lambda.Unknown`: it is Lambda.TooManyRequestsException.
"""

# ruff: noqa: SLF001 - ministack's private names are what is replaced here

from __future__ import annotations

import contextvars
import copy
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import codebuild, lambda_svc
from ministack.services import stepfunctions as sfn

from .codebuild import start_build, stop_build
from .patching import require
from .responses import REFUSED, Response, answer, content, refusal

_POLL = 0.1  # seconds between looks at a build or a heartbeat


@dataclass
class _Running:
    """The task a thread of ministack is at, so that inner calls know whose they are."""

    execution: dict[str, Any] | None = None
    timeout: float | None = None
    token: str | None = None
    tokens: list[str] = field(default_factory=list)


_task: contextvars.ContextVar[_Running] = contextvars.ContextVar("task")


def install() -> None:
    """Replace what is listed above."""
    require(sfn, "_execute_task", "_invoke_with_callback", "_call_lambda", "_start_execution")
    require(sfn, "_stop_execution", "_send_task_success", "_send_task_failure", "_task_tokens")
    require(sfn, "_find_matching_retrier", "_error_matches", "_apply_jsonata_template")
    require(sfn, "_SERVICE_DISPATCH", "_AWS_SDK_SERVICE_MAP", "_ExecutionError", "_executions")
    require(sfn, "_pascal_to_camel", "_AWS_SDK_ERROR_PREFIX")
    require(lambda_svc, "_throttle_response")
    sfn._AWS_SDK_SERVICE_MAP["codebuild"] = {
        "target_prefix": "CodeBuild_20161006",
        "protocol": "json",
        "param_case": "lower-camel",
    }
    sfn._AWS_SDK_ERROR_PREFIX["codebuild"] = "CodeBuild"
    sfn._SERVICE_DISPATCH["arn:aws:states:::codebuild:startBuild"] = build_task
    for name, replacement in (
        ("_execute_task", execute_task),
        ("_invoke_with_callback", invoke_with_callback),
        ("_call_lambda", call_lambda),
        ("_start_execution", start_execution),
        ("_stop_execution", stop_execution),
        ("_send_task_success", first_answer),
        ("_send_task_failure", first_answer),
        ("_find_matching_retrier", matching_retrier),
    ):
        setattr(sfn, name, _around(getattr(sfn, name), replacement))


def _around(original: Callable[..., Any], replacement: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: replacement(original, *args, **kwargs)


def execute_task(
    original: Callable[..., Any],
    state: dict[str, Any],
    given: Any,
    execution: dict[str, Any] | None,
    context: dict[str, Any],
) -> Any:
    """Evaluate the state's limits and remember whose task this thread is at."""
    limits = {
        key: sfn._apply_jsonata_template(state[key], given, context)
        for key in ("TimeoutSeconds", "HeartbeatSeconds")
        if isinstance(state.get(key), str)
    }
    state = {**state, **limits}
    _task.set(_Running(execution, state.get("TimeoutSeconds")))
    return original(state, given, execution, context)


def build_task(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """`codebuild:startBuild`, and with `.sync` wait for it; a stopped task stops its build."""
    response = start_build(sfn._pascal_to_camel(arguments))
    started = content(response)
    if response[0] == REFUSED:
        raise sfn._ExecutionError(f"CodeBuild.{started['__type']}", started["message"])
    build = codebuild._builds[started["build"]["id"]]
    if ".sync" in resource:
        _wait_for(build, _task.get(_Running()))
    output = {"Build": _pascal(copy.deepcopy(build))}
    if ".sync" in resource and build["buildStatus"] != "SUCCEEDED":
        raise sfn._ExecutionError("States.TaskFailed", json.dumps(output))
    return output


def _wait_for(build: dict[str, Any], task: _Running) -> None:
    deadline = time.monotonic() + (task.timeout or float("inf"))
    while not build.get("buildComplete"):
        aborted = task.execution is not None and task.execution["status"] != "RUNNING"
        if aborted or time.monotonic() > deadline:
            stop_build({"id": build["id"]})
            raise sfn._ExecutionError("States.Timeout", "The task's build was stopped")
        time.sleep(_POLL)


def invoke_with_callback(
    original: Callable[..., Any],
    resource: str,
    arguments: Any,
    token: str,
    state: dict[str, Any],
) -> Any:
    """waitForTaskToken: a failing call and a missed heartbeat fail the task."""
    task = _task.get(_Running())
    task.token = token
    if task.execution is not None:
        task.execution.setdefault("_tokens", []).append(token)
    if beat := state.get("HeartbeatSeconds"):
        threading.Thread(
            target=contextvars.copy_context().run, args=(_watch, token, float(beat)), daemon=True
        ).start()
    try:
        return original(resource, arguments, token, state)
    finally:
        task.token = None


def _watch(token: str, beat: float) -> None:
    last, seen = time.monotonic(), None
    time.sleep(_POLL)  # ministack registers the token after this thread was started
    while info := sfn._task_tokens.get(token):
        if info["heartbeat"] != seen:
            last, seen = time.monotonic(), info["heartbeat"]
        if time.monotonic() - last > beat:
            _end(token, "States.HeartbeatTimeout", f"No heartbeat within {beat:.0f} seconds")
            return
        time.sleep(_POLL)


def _end(token: str | None, error: str, cause: str) -> None:
    info = sfn._task_tokens.get(token)
    if info and not info["event"].is_set():
        info["error"] = {"Error": error, "Cause": cause}
        info["event"].set()


def call_lambda(original: Callable[..., Any], reference: Any, event: Any) -> Any:
    """Invoke a function for a task."""
    try:
        return original(reference, event)
    except sfn._ExecutionError as error:
        throttled = "TooManyRequestsException" in str(error.cause)
        name = "Lambda.TooManyRequestsException" if throttled else error.error
        _end(_task.get(_Running()).token, name, error.cause)
        raise sfn._ExecutionError(name, error.cause) from None


def first_answer(original: Callable[..., Any], data: dict[str, Any]) -> Response:
    """SendTaskSuccess and SendTaskFailure: the first answer to a token wins."""
    info = sfn._task_tokens.get(data.get("taskToken"))
    if info and info["event"].is_set():
        message = "Task Timed Out: 'Provided task does not exist anymore'"
        return refusal("TaskTimedOut", message)
    response: Response = original(data)
    return response


def stop_execution(original: Callable[..., Any], data: dict[str, Any]) -> Response:
    """StopExecution: nobody waits on its tokens any more."""
    response: Response = original(data)
    for token in (sfn._executions.get(data.get("executionArn")) or {}).get("_tokens", ()):
        _end(token, "States.Aborted", "The execution was stopped")
        sfn._task_tokens.pop(token, None)
    return response


def start_execution(original: Callable[..., Any], data: dict[str, Any]) -> Response:
    """StartExecution: the same name and input while it runs is the same execution."""
    response: Response = original(data)
    if response[0] == REFUSED and content(response)["__type"] == "ExecutionAlreadyExists":
        machine = data["stateMachineArn"].split("#")[0].rsplit(":", 1)[-1]
        prefix = f"arn:aws:states:{get_region()}:{get_account_id()}:execution"
        arn = f"{prefix}:{machine}:{data['name']}"
        known = sfn._executions.get(arn)
        if known and known["status"] == "RUNNING" and known["input"] == data.get("input", "{}"):
            return answer({"executionArn": arn, "startDate": known["startDate"]})
    return response


def matching_retrier(
    original: Callable[..., Any], retriers: list[dict[str, Any]], error: str, counts: dict[int, int]
) -> tuple[dict[str, Any] | None, int]:
    """The retrier for an error, its next delay worked out; none once the execution ended."""
    execution = _task.get(_Running()).execution
    if execution is not None and execution["status"] != "RUNNING":
        return None, -1
    retrier, index = original(retriers, error, counts)
    if retrier is None:
        return None, index
    grown = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** counts.get(
        index, 0
    )
    delay = min(grown, retrier.get("MaxDelaySeconds", grown))
    if retrier.get("JitterStrategy") == "FULL":
        delay = random.uniform(0, delay)
    return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1.0}, index


def _pascal(value: Any) -> Any:
    """The way Step Functions spells an API's answer, with its times in milliseconds."""
    if isinstance(value, dict):
        return {
            key[:1].upper() + key[1:]: inner * 1000
            if key in ("startTime", "endTime") and isinstance(inner, (int, float))
            else _pascal(inner)
            for key, inner in value.items()
        }
    return [_pascal(inner) for inner in value] if isinstance(value, list) else value
