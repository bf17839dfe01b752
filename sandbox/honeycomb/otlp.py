"""OTLP/HTTP bodies: protobuf or JSON, plain or gzip."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError, Message

from .errors import ApiError

PROTOBUF = ("application/protobuf", "application/x-protobuf")
JSON = "application/json"
MAX_BODY = 20 * 1024 * 1024
HEX_FIELDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")


def unpack(body: bytes, encoding: str) -> bytes:
    """The body without its content encoding."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise ApiError(400, f"content-encoding {encoding!r} is not supported; send gzip or none")
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise ApiError(400, f"the body is not gzip: {error}") from error


def decode(message: Message, body: bytes, content_type: str) -> None:
    """Parse the body into `message`."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind in PROTOBUF:
            message.ParseFromString(body)
        elif kind == JSON:
            ParseDict(_with_base64_ids(json.loads(body)), message, ignore_unknown_fields=True)
        else:
            raise ApiError(400, f"content-type {kind!r} is not OTLP: protobuf or json is")
    except (DecodeError, ParseError, ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is not an OTLP request: {error}") from error


def _with_base64_ids(node: Any) -> Any:
    # OTLP/JSON writes ids in hex where protobuf's own JSON mapping has base64.
    if isinstance(node, list):
        return [_with_base64_ids(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _base64(value)
        if key in HEX_FIELDS and isinstance(value, str)
        else _with_base64_ids(value)
        for key, value in node.items()
    }


def _base64(value: str) -> str:
    try:
        return base64.b64encode(binascii.unhexlify(value)).decode()
    except ValueError as error:
        raise ApiError(400, f"{value!r} is not an id in hex") from error
