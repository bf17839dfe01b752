"""What ministack's handlers answer: status, headers, body."""

from __future__ import annotations

import json
from typing import Any, cast

from ministack.core.responses import error_response_json, json_response

Response = tuple[int, dict[str, str], bytes]
REFUSED = 400


def answer(body: dict[str, Any]) -> Response:
    """A JSON answer."""
    return cast("Response", json_response(body))


def refusal(code: str, message: str) -> Response:
    """An error of a JSON service; boto3 raises it as the exception of that name."""
    return cast("Response", error_response_json(code, message, REFUSED))


def content(response: Response) -> dict[str, Any]:
    """The JSON body of an answer."""
    return cast("dict[str, Any]", json.loads(response[2]))
