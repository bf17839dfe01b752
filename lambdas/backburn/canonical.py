"""One byte string per JSON document, so that a digest means the document and nothing else.

RFC 8785 for the values we allow: no floats at all, because two engines print them differently.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

LARGEST = 2**53 - 1  # RFC 8785 numbers are doubles: a larger integer would not survive


class NotCanonical(ValueError):
    """The value has no canonical form; the message says where."""


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value of str, int, bool, None, list and dict."""
    return _text(value, "$").encode()


def digest(value: Any) -> str:
    """sha256 of the canonical bytes, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _text(value: Any, where: str) -> str:
    match value:
        case None | bool():
            return json.dumps(value)
        case int() if abs(value) <= LARGEST:
            return str(value)
        case str():
            return _string(value, where)
        case list() | tuple():
            return f"[{','.join(_text(v, f'{where}[{i}]') for i, v in enumerate(value))}]"
        case dict():
            return f"{{{','.join(_members(value, where))}}}"
    raise NotCanonical(f"{where}: {value!r} has no canonical form")


def _members(value: dict[Any, Any], where: str) -> list[str]:
    for key in value:
        if not isinstance(key, str):
            raise NotCanonical(f"{where}: the key {key!r} is not a string")
    # RFC 8785 sorts by UTF-16 code units, which differs from code points above U+FFFF.
    keys = sorted(value, key=lambda k: k.encode("utf-16-be", "surrogatepass"))
    return [f"{_string(k, where)}:{_text(value[k], f'{where}.{k}')}" for k in keys]


def _string(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotCanonical(f"{where}: a lone surrogate has no UTF-8 form") from None
    return json.dumps(value, ensure_ascii=False)
