"""Honeycomb's error answers: one exception, rendered in one place."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

VALIDATION_FAILED = 422
TITLES = {
    400: ("unparseable", "The request body could not be parsed."),
    401: ("unauthorized", "The API key is missing, unknown or revoked."),
    403: ("forbidden", "The API key lacks a permission."),
    404: ("not-found", "The requested resource cannot be found."),
    409: ("conflict", "A conflict occurred."),
    413: ("payload-too-large", "The request body is too large."),
    422: ("validation-failed", "The provided input is invalid."),
    429: ("rate-limited", "You have exceeded your rate limit."),
}


class ApiError(Exception):
    """An answer that is not a success; `error` is the sentence a client shows."""

    def __init__(self, status: int, error: str, field: str = "") -> None:
        super().__init__(error)
        self.status, self.error, self.field = status, error, field


def render(request: Request, error: Exception) -> JSONResponse:
    """The body both kinds of client read: `error`, and the fields of problem+json."""
    if not isinstance(error, ApiError):
        raise error
    slug, title = TITLES[error.status]
    body: dict[str, Any] = {
        "status": error.status,
        "type": f"https://api.honeycomb.io/problems/{slug}",
        "title": title,
        "instance": request.url.path,
        "error": error.error,
    }
    if error.status == VALIDATION_FAILED:
        detail = {"field": error.field, "code": "invalid", "description": error.error}
        body["type_detail"] = [detail]
    return JSONResponse(body, error.status, media_type="application/problem+json")
