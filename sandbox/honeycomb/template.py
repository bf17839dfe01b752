"""The part of Go's text/template that Honeycomb's payload templates may use.

Actions: `{{ .Field.Sub }}`, `$variable`s of range, literals, pipelines, `if`/`else`/`end`,
`range`/`else`/`end`, comments, trim markers; functions toJson, len, eq, printf.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .pipeline import TemplateError, evaluate, printed, words_of

ACTION = re.compile(r"\{\{(?P<left>- )?(?P<body>.*?)(?P<right> -)?\}\}", re.DOTALL)


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
            nodes.append(_if(tokens, word, body))
        elif word in ("else", "end"):
            if body != word:
                raise TemplateError(f"{{{{{body}}}}} is not supported")
            return nodes, word
        elif not body.startswith("/*"):
            words_of(body)
            nodes.append(("action", body))
    if nested:
        raise TemplateError("unexpected end of the template: an if or range has no end")
    return nodes, ""


def _if(tokens: Iterator[tuple[str, str]], word: str, body: str) -> _If:
    then, end = _block(tokens, nested=True)
    otherwise: list[Any] = []
    if end == "else":
        otherwise, end = _block(tokens, nested=True)
    if end != "end":
        raise TemplateError(f"{{{{{body}}}}} has no end")
    return _If(body[len(word) :], then, otherwise, word == "range")


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
            yield printed(evaluate(node[1], data))
