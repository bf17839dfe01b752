"""Lambda: the product's interpreter, error types by class, bounded concurrency.

What ministack 1.5.33 does otherwise:
- Functions run in the server's own interpreter, whatever Runtime says.
- Whatever a handler raises is `Runtime.HandlerError`; AWS reports the exception's class, which
  Catch and Retry match on. An init error is a RuntimeError instead of Runtime.ImportModuleError.
- It waits 50 ms a call for a log line, and starts a process of 48 MB for each concurrent call:
  1,000 requests at once want 26 GB. They queue before the HTTP API instead.
- A handler's exception answers 502 with its text; API Gateway says Internal Server Error.
"""

# ruff: noqa: SLF001 - ministack's private names are what is replaced here

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime as runtime
from ministack.services import apigateway
from ministack.services import lambda_svc as functions

from .patching import MinistackChangedError, require
from .settings import Settings

_CONCURRENCY = 8  # invocations at a time behind the HTTP API
_LOG_WAIT = (0.004, 0.002, 0.25)  # seconds: first line, silence after a line, at most

# The worker's script reports an exception by its text; ours adds the class as a last line.
_OLD = '"trace": traceback.format_exc()}) + "\\n")\n        _real'
_NEW = (
    '"trace": traceback.format_exc() + "\\n[ERROR] " + type(e).__name__}) + "\\n")\n        _real'
)
_CLASS = re.compile(r"\n\[ERROR\] (\w+)$")


def install(settings: Settings) -> None:
    """Replace what is listed above."""
    require(runtime, "_detect_runtime_binary", "_PYTHON_WORKER_SCRIPT", "Worker", "reset")
    require(runtime.Worker, "_drain_stderr_bounded")
    require(functions, "_execute_function_warm", "lambda_execute_result_to_api_proxy_response")
    require(apigateway, "handle_execute")
    if _OLD not in runtime._PYTHON_WORKER_SCRIPT:
        raise MinistackChangedError("ministack's Lambda worker reports exceptions another way")
    runtime._PYTHON_WORKER_SCRIPT = runtime._PYTHON_WORKER_SCRIPT.replace(_OLD, _NEW)
    runtime._detect_runtime_binary = _with_interpreter(settings.lambda_python)
    runtime.Worker._drain_stderr_bounded.__defaults__ = _LOG_WAIT
    functions._execute_function_warm = _with_error_class(functions._execute_function_warm)
    functions.lambda_execute_result_to_api_proxy_response = _without_error_text(
        functions.lambda_execute_result_to_api_proxy_response
    )
    apigateway.handle_execute = _queued(apigateway.handle_execute)


def _with_interpreter(python: str) -> Callable[[str], tuple[str, str]]:
    original = runtime._detect_runtime_binary

    def detect(name: str) -> tuple[str, str]:
        binary, script = original(name)
        return (python if name.startswith("python") else binary), script

    return detect


def _with_error_class(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def execute(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result = original(function, event, request_id)
        body = result.get("body")
        if not result.get("error") or not isinstance(body, dict):
            return result
        message = str(body.get("errorMessage"))
        if raised := _CLASS.search(result.get("log") or ""):
            body["errorType"] = raised[1]
            result["log"] = _CLASS.sub("", result["log"])
        elif message.startswith("Worker init failed: "):
            body["errorType"] = "Runtime.ImportModuleError"
        elif message == "Worker process died":
            body["errorType"] = "Runtime.ExitError"
        return result

    return execute


def _without_error_text(original: Callable[..., Any]) -> Callable[..., Any]:
    def respond(result: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
        if result.get("error") and not result.get("throttle"):
            body = json.dumps({"message": "Internal Server Error"})
            headers = {"Content-Type": "application/json"}
            return {"statusCode": 500, "headers": headers, "body": body}, None
        response, error = original(result)
        return response, error

    return respond


def _queued(original: Callable[..., Any]) -> Callable[..., Any]:
    gate = asyncio.Semaphore(_CONCURRENCY)

    async def execute(*args: Any, **kwargs: Any) -> Any:
        async with gate:
            return await original(*args, **kwargs)

    return execute
