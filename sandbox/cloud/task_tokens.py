"""Task tokens as on AWS.

What ministack 1.5.33 does otherwise: a function that raises under waitForTaskToken is ignored
and the state waits for its timeout; HeartbeatSeconds is ignored; a token answered twice before
its state woke takes the second answer; tokens outlive a stopped execution; all attempts of a
state share one token, so that a late answer to the first decides the second.
"""

# ruff: noqa: SLF001 - ministack's private names are what is replaced here

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import stepfunctions as sfn

from . import running_task
from .patching import around, require
from .responses import Response, refusal

_POLL = 0.1  # seconds between looks for a heartbeat


def install() -> None:
    """Replace the wait and the answers."""
    require(sfn, "_invoke_with_callback", "_stop_execution", "_task_tokens", "_executions")
    require(sfn, "_send_task_success", "_send_task_failure", "_apply_jsonata_arguments")
    sfn._apply_jsonata_arguments = around(sfn._apply_jsonata_arguments, arguments_with_token)
    sfn._invoke_with_callback = around(sfn._invoke_with_callback, invoke_with_callback)
    sfn._stop_execution = around(sfn._stop_execution, stop_execution)
    sfn._send_task_success = around(sfn._send_task_success, first_answer)
    sfn._send_task_failure = around(sfn._send_task_failure, first_answer)


def arguments_with_token(
    original: Callable[..., Any],
    state: dict[str, Any],
    given: Any,
    context: dict[str, Any] | None = None,
) -> Any:
    """Evaluate a state's arguments, for each attempt with a token of its own."""
    if context is not None and ".waitForTaskToken" in state.get("Resource", ""):
        context["Task"] = {"Token": new_uuid()}
    return original(state, given, context)


def invoke_with_callback(
    original: Callable[..., Any],
    resource: str,
    arguments: Any,
    token: str,
    state: dict[str, Any],
) -> Any:
    """waitForTaskToken: a failing call and a missed heartbeat fail the task."""
    task = running_task.current()
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
            end(token, "States.HeartbeatTimeout", f"No heartbeat within {beat:.0f} seconds")
            return
        time.sleep(_POLL)


def end(token: str | None, error: str, cause: str) -> None:
    """Wake whoever waits on the token, with an error; nobody if it was answered."""
    info = sfn._task_tokens.get(token)
    if info and not info["event"].is_set():
        info["error"] = {"Error": error, "Cause": cause}
        info["event"].set()


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
        end(token, "States.Aborted", "The execution was stopped")
        sfn._task_tokens.pop(token, None)
    return response
