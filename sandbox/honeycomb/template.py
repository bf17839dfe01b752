"""The part of Go's text/template that Honeycomb's payload templates may use.

Actions: `{{ .Field.Sub }}`, `$variable`s of range, literals, pipelines, `if`/`else`/`end`,
`range`/`else`/`end`, comments, trim markers; functions toJson, len, eq, printf.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ACTION = re.compile(r"\{\{(?P<left>- )?(?P<body>.*?)(?P<right> -)?\}\}", re.DOTALL)
WORD = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?)'
    r"|(?P<field>(?:\.\w+)+|\.)|(?P<word>\w+)|(?P<sign>[()|]))"
)


class TemplateError(Exception):
    """The template cannot be parsed, or reads what is not there."""


@dataclass(frozen=True)
class _If:
    condition: str
    then: list[Any]
    otherwise: list[Any]
    loop: bool


def check(template: str) -> None:
    """TemplateError unless the template parses."""
    _parse(template)


def render(template: str, data: Any) -> str:
    """The text of the template over `data` (dicts, lists and scalars)."""
    return "".join(_write(_parse(template), data))


def _parse(template: str) -> list[Any]:
    tokens: list[tuple[str, str]] = []
    at, trim = 0, False
    for match in ACTION.finditer(template):
        text = template[at : match.start()]
        text = text.lstrip() if trim else text
        tokens.append(("text", text.rstrip() if match["left"] else text))
        tokens.append(("action", match["body"].strip()))
        at, trim = match.end(), bool(match["right"])
    rest = template[at:]
    if "{{" in rest:
        raise TemplateError("unclosed action")
    tokens.append(("text", rest.lstrip() if trim else rest))
    nodes, end = _block(iter(tokens), nested=False)
    if end:
        raise TemplateError(f"unexpected {{{{{end}}}}}")
    return nodes


def _block(tokens: Iterator[tuple[str, str]], *, nested: bool) -> tuple[list[Any], str]:
    nodes: list[Any] = []
    for kind, body in tokens:
        if kind == "text":
            nodes.append(("text", body))
            continue
        word = body.split(None, 1)[0] if body else ""
        if word in ("if", "range"):
            then, end = _block(tokens, nested=True)
            otherwise: list[Any] = []
            if end == "else":
                otherwise, end = _block(tokens, nested=True)
            if end != "end":
                raise TemplateError(f"{{{{{body}}}}} has no end")
            nodes.append(_If(body[len(word) :], then, otherwise, word == "range"))
        elif word in ("else", "end"):
            if not nested:
                return nodes, word
            if body != word:
                raise TemplateError(f"{{{{{body}}}}} is not supported")
            return nodes, word
        elif not body.startswith("/*"):
            _words(body)
            nodes.append(("action", body))
    if nested:
        raise TemplateError("unexpected end of the template: an if or range has no end")
    return nodes, ""


def _write(nodes: list[Any], data: Any) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, _If):
            value = evaluate(node.condition, data)
            if not node.loop:
                yield from _write(node.then if value else node.otherwise, data)
            elif not value:
                yield from _write(node.otherwise, data)
            else:
                for item in value.values() if isinstance(value, dict) else value:
                    yield from _write(node.then, item)
        elif node[0] == "text":
            yield node[1]
        else:
            yield _printed(evaluate(node[1], data))


def evaluate(text: str, data: Any) -> Any:
    """The value of a pipeline."""
    words = _words(text)
    value, used = _pipeline(words, 0, data)
    if used != len(words):
        raise TemplateError(f"unexpected {words[used][1]!r} in {{{{{text}}}}}")
    return value


def _words(text: str) -> list[tuple[str, str]]:
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


def _printed(value: Any) -> str:
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{' '.join(_printed(item) for item in value)}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{k}:{_printed(v)}' for k, v in sorted(value.items()))}]"
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
            return _printed(value)
        return json.dumps(str(value)) if match[2] == "q" else (match[0] % value)

    return re.sub(r"%(%|[-+0-9.]*([svdqfgx]))", one, template)


def _json(value: Any) -> str:
    # As Go's encoder does, so that a payload can be put into HTML.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


FUNCTIONS = {
    "toJson": _json,
    "len": len,
    "eq": lambda one, *others: any(one == other for other in others),
    "printf": _printf,
}
