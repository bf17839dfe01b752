"""Executions that time out, can be redriven, and keep to Step Functions' size limits.

ministack 1.5.33 ignores a machine's TimeoutSeconds (TIMED_OUT is never set), has no
RedriveExecution, takes inputs and outputs of any size, and leaves previousEventId out of the
history. So the walk through a machine's states is our own; each state is still ministack's.
"""

# ruff: noqa: SLF001 - ministack's private names are what is replaced here

from __future__ import annotations

import contextvars
import copy
import json
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import now_iso
from ministack.services import stepfunctions as sfn

from .patching import require
from .responses import Response, answer, content, refusal

Record = dict[str, Any]

_LIMIT = 262_144  # bytes of an input, an output or a state's result
_REDRIVABLE = ("FAILED", "ABORTED", "TIMED_OUT")
_WITH_EXECUTION = ("Task", "Parallel", "Map")


def install() -> None:
    """Replace the walk, and add what is missing around it."""
    require(sfn, "_run_execution", "_start_execution", "_describe_execution", "_add_event")
    require(sfn, "_emit_execution_status_event", "_executions", "_state_machines", "handle_request")
    require(sfn, "_execute_pass", "_execute_choice", "_execute_wait", "_execute_parallel")
    require(sfn, "_execute_task", "_execute_map", "_fail_state_error", "_finalize_response")
    require(sfn, "_apply_input_path", "_apply_output_path", "_ExecutionError")
    sfn._run_execution = run
    sfn._start_execution = _within_limit(sfn._start_execution)
    sfn._describe_execution = _with_redrives(sfn._describe_execution)
    sfn._add_event = _with_previous(sfn._add_event)
    sfn.handle_request = _with_redrive(sfn.handle_request)


def run(arn: str) -> None:
    """Walk an execution to its end; ministack starts a thread on this."""
    execution = sfn._executions[arn]
    machine = sfn._state_machines[execution["stateMachineArn"]]
    definition = json.loads(machine["definition"])
    given = json.loads(execution["input"])
    context = {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": arn,
            "Input": given,
            "Name": execution["name"],
            "StartTime": execution["startDate"],
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
        "variables": {},
    }
    execution["_walk"] = {
        "states": definition["States"],
        "context": context,
        "at": definition["StartAt"],
        "input": given,
        "timeout": definition.get("TimeoutSeconds"),
        "number": 0,
    }
    _walk(execution, 0)


def redrive(data: dict[str, Any]) -> Response:
    """RedriveExecution: go on at the state that did not succeed, with the input it had."""
    execution = sfn._executions.get(data.get("executionArn"))
    if execution is None:
        return refusal("ExecutionDoesNotExist", "Execution does not exist")
    if execution["status"] not in _REDRIVABLE:
        message = f"Execution is {execution['status']} and cannot be redriven"
        return refusal("ExecutionNotRedrivable", message)
    walk = execution["_walk"]
    walk["number"] += 1
    walk["context"]["Execution"]["RedriveCount"] = walk["number"]
    execution["_redriven"] = time.time()
    for key in ("error", "cause", "output", "stopDate"):
        execution[key] = None
    execution["status"] = "RUNNING"
    details = {"executionRedrivenEventDetails": {"redriveCount": walk["number"]}}
    sfn._add_event(execution, "ExecutionRedriven", details)
    sfn._emit_execution_status_event(execution)
    threading.Thread(
        target=contextvars.copy_context().run, args=(_walk, execution, walk["number"]), daemon=True
    ).start()
    return answer({"redriveDate": execution["_redriven"]})


def _walk(execution: Record, number: int) -> None:
    walk = execution["_walk"]
    if limit := walk["timeout"]:
        watch = contextvars.copy_context()
        timer = threading.Timer(limit, watch.run, [_time_out, execution, number])
        timer.daemon = True
        timer.start()
    variables = copy.deepcopy(walk["context"]["variables"])
    try:
        while walk["at"] is not None:
            variables = copy.deepcopy(walk["context"]["variables"])
            output, following = _state(execution, walk)
            if len(json.dumps(output)) > _LIMIT:
                message = f"The state '{walk['at']}' returned a result over the limit of {_LIMIT}"
                raise sfn._ExecutionError("States.DataLimitExceeded", message)  # noqa: TRY301
            if not _current(execution, number):
                return
            walk["at"], walk["input"] = following, output
    except sfn._ExecutionError as failure:
        error, cause = failure.error, failure.cause
    except Exception as failure:  # noqa: BLE001 - an execution must end, whatever its states do
        error, cause = "States.Runtime", str(failure)
    else:
        _end(execution, "SUCCEEDED", output=json.dumps(walk["input"]))
        return
    if _current(execution, number):
        walk["context"]["variables"] = variables  # a redriven state starts with what it had
        _end(execution, "FAILED", error=error, cause=cause)


def _state(execution: Record, walk: Record) -> tuple[Any, str | None]:
    name, given, context = walk["at"], walk["input"], walk["context"]
    if name not in walk["states"]:
        raise sfn._ExecutionError("States.Runtime", f"State '{name}' not found in definition")
    state = walk["states"][name]
    kind = state["Type"]
    context["State"] = {"Name": name, "EnteredTime": now_iso(), "RetryCount": 0}
    _note(execution, f"{kind}StateEntered", "stateEntered", name, input=given)
    if kind == "Fail":
        raise sfn._ExecutionError(*sfn._fail_state_error(state, given, context))
    if kind == "Succeed":
        output = sfn._apply_input_path(state, given, context)
        output, following = sfn._apply_output_path(state, output, context), None
    else:
        handler = getattr(sfn, f"_execute_{kind.lower()}")
        more = (execution, context) if kind in _WITH_EXECUTION else (context,)
        output, following = handler(state, given, *more)
    if execution["status"] == "RUNNING":
        _note(execution, f"{kind}StateExited", "stateExited", name, output=output)
    return output, following


def _note(execution: Record, event: str, details: str, name: str, **values: Any) -> None:
    payload = {key: json.dumps(value) for key, value in values.items()}
    sfn._add_event(execution, event, {f"{details}EventDetails": {"name": name, **payload}})


def _time_out(execution: Record, number: int) -> None:
    if _current(execution, number):
        _end(execution, "TIMED_OUT", error="States.Timeout")
        for token in execution.get("_tokens", ()):
            sfn._task_tokens.pop(token, None)


def _current(execution: Record, number: int) -> bool:
    return bool(execution["status"] == "RUNNING" and execution["_walk"]["number"] == number)


def _end(execution: Record, status: str, **result: str) -> None:
    execution.update(status=status, stopDate=now_iso(), **result)
    name = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "TIMED_OUT": "TimedOut"}[status]
    sfn._add_event(execution, f"Execution{name}", {f"execution{name}EventDetails": result})
    sfn._emit_execution_status_event(execution)


def _within_limit(original: Callable[..., Response]) -> Callable[..., Response]:
    def start(data: dict[str, Any]) -> Response:
        if len(data.get("input", "").encode()) > _LIMIT:
            message = f"Invalid State Machine Execution Input: over {_LIMIT} bytes"
            return refusal("InvalidExecutionInput", message)
        return original(data)

    return start


def _with_redrives(original: Callable[..., Response]) -> Callable[..., Response]:
    def describe(data: dict[str, Any]) -> Response:
        response = original(data)
        execution = sfn._executions.get(data.get("executionArn"))
        if execution is None:
            return response
        redrivable = execution["status"] in _REDRIVABLE
        more = {
            "redriveCount": (execution.get("_walk") or {}).get("number", 0),
            "redriveStatus": "REDRIVABLE" if redrivable else "NOT_REDRIVABLE",
        }
        if "_redriven" in execution:
            more["redriveDate"] = execution["_redriven"]
        return answer(content(response) | more)

    return describe


def _with_previous(original: Callable[..., Record]) -> Callable[..., Record]:
    def add(execution: Record, kind: str, details: Record | None = None) -> Record:
        event = original(execution, kind, details)
        event["previousEventId"] = event["id"] - 1
        return event

    return add


def _with_redrive(original: Callable[..., Awaitable[Response]]) -> Callable[..., Any]:
    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            response: Response = sfn._finalize_response(redrive(json.loads(body)))
            return response
        return await original(method, path, headers, body, query)

    return handle
