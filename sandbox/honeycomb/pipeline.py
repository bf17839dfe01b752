"""Actions of Go templates: pipelines of fields, literals and functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

WORD = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?)'
    r"|(?P<field>(?:\.\w+)+|\.)|(?P<word>\w+)|(?P<sign>[()|]))"
)


class TemplateError(Exception):
    """The template cannot be parsed, or reads what is not there."""


def evaluate(text: str, data: Any) -> Any:
    """The value of a pipeline."""
    words = words_of(text)
    value, used = _pipeline(words, 0, data)
    if used != len(words):
        raise TemplateError(f"unexpected {words[used][1]!r} in {{{{{text}}}}}")
    return value


def words_of(text: str) -> list[tuple[str, str]]:
    """The words of an action; TemplateError where it makes no sense."""
    words, at = [], 0
    while text[at:].strip():
        match = WORD.match(text, at)
        if match is None:
            raise TemplateError(f"unexpected {text[at:].strip()[:10]!r} in {{{{{text}}}}}")
        words.append((match.lastgroup or "", match[match.lastgroup or 0]))
        at = match.end()
    if not words:
        raise TemplateError("missing value for command")
    return words


def _pipeline(words: list[tuple[str, str]], at: int, data: Any) -> tuple[Any, int]:
    value, at = _command(words, at, data, [])
    while at < len(words) and words[at] == ("sign", "|"):
        value, at = _command(words, at + 1, data, [value])
    return value, at


def _command(words: list[tuple[str, str]], at: int, data: Any, last: list[Any]) -> tuple[Any, int]:
    function = None
    if at < len(words) and words[at][0] == "word" and words[at][1] not in ("true", "false", "nil"):
        function, at = words[at][1], at + 1
        if function not in FUNCTIONS:
            raise TemplateError(f'function "{function}" not defined')
    arguments: list[Any] = []
    while at < len(words) and words[at][1] not in ("|", ")"):
        value, at = _operand(words, at, data)
        arguments.append(value)
    arguments += last
    if function:
        try:
            return FUNCTIONS[function](*arguments), at
        except TypeError as error:
            raise TemplateError(f"error calling {function}: {error}") from error
    if len(arguments) != 1:
        raise TemplateError("a value cannot be called with arguments")
    return arguments[0], at


def _operand(words: list[tuple[str, str]], at: int, data: Any) -> tuple[Any, int]:
    kind, word = words[at]
    if kind == "sign":
        if word != "(":
            raise TemplateError(f"unexpected {word!r}")
        value, at = _pipeline(words, at + 1, data)
        if at >= len(words) or words[at] != ("sign", ")"):
            raise TemplateError("unclosed left paren")
        return value, at + 1
    if kind == "field":
        return _lookup(word, data), at + 1
    if kind == "number":
        return float(word) if "." in word else int(word), at + 1
    if kind == "text":
        return (word[1:-1] if word[0] == "`" else json.loads(word)), at + 1
    if word in ("true", "false", "nil"):
        return {"true": True, "false": False, "nil": None}[word], at + 1
    raise TemplateError(f"unexpected {word!r}")


def _lookup(path: str, data: Any) -> Any:
    for name in path.split(".")[1:]:
        if not name:
            return data
        # Go's structs refuse an unknown field when the template is executed.
        if not isinstance(data, dict) or name not in data:
            raise TemplateError(f"can't evaluate field {name} in {path}")
        data = data[name]
    return data


def printed(value: Any) -> str:
    """A value as Go prints it."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{' '.join(printed(item) for item in value)}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{k}:{printed(v)}' for k, v in sorted(value.items()))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _printf(template: str, *arguments: Any) -> str:
    rest = list(arguments)

    def one(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if not rest:
            return f"%!{match[2]}(MISSING)"
        value = rest.pop(0)
        if match[2] in "sv":
            return printed(value)
        return json.dumps(str(value)) if match[2] == "q" else (match[0] % value)

    return re.sub(r"%(%|[-+0-9.]*([svdqfgx]))", one, template)


def _json(value: Any) -> str:
    # As Go's encoder does, so that a payload can be put into HTML.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "toJson": _json,
    "len": len,
    "eq": lambda one, *others: any(one == other for other in others),
    "printf": _printf,
}
