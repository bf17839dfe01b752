"""Step Functions closer to AWS: limits, retries, names and errors of tasks.

What ministack 1.5.33 does otherwise, and what is done about it here:
- TimeoutSeconds or HeartbeatSeconds as JSONata crash: they are evaluated.
- MaxDelaySeconds and JitterStrategy of a retrier are ignored: applied.
- StartExecution with the name and input of a running execution fails: it answers with it.
- A throttled function is `Lambda.Unknown`: it is Lambda.TooManyRequestsException.
Builds, task tokens and whole executions have modules of their own.
"""

# ruff: noqa: SLF001 - ministack's private names are what is replaced here

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc
from ministack.services import stepfunctions as sfn

from . import running_task, task_tokens
from .patching import around, require
from .responses import REFUSED, Response, answer, content
from .running_task import RunningTask


def install() -> None:
    """Replace what is listed above."""
    require(sfn, "_execute_task", "_call_lambda", "_start_execution", "_find_matching_retrier")
    require(sfn, "_apply_jsonata_template", "_ExecutionError", "_executions")
    require(lambda_svc, "_throttle_response")
    sfn._execute_task = around(sfn._execute_task, execute_task)
    sfn._call_lambda = around(sfn._call_lambda, call_lambda)
    sfn._start_execution = around(sfn._start_execution, start_execution)
    sfn._find_matching_retrier = around(sfn._find_matching_retrier, matching_retrier)


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
    running_task.enter(RunningTask(execution, state.get("TimeoutSeconds")))
    return original(state, given, execution, context)


def call_lambda(original: Callable[..., Any], reference: Any, event: Any) -> Any:
    """Invoke a function for a task."""
    try:
        return original(reference, event)
    except sfn._ExecutionError as error:
        throttled = "TooManyRequestsException" in str(error.cause)
        name = "Lambda.TooManyRequestsException" if throttled else error.error
        task_tokens.end(running_task.current().token, name, error.cause)
        raise sfn._ExecutionError(name, error.cause) from None


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
    if running_task.current().ended:
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
