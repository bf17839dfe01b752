"""Stack configuration: where `Pulumi.<stack>.yaml` says the value of a key.

The file is loaded to know what a key means and where it stands; it is never written back, so
comments, order, quotes and line ends stay as they are.
"""

from __future__ import annotations

import re

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from backburn.bundle import under
from backburn.errors import Abstained
from backburn.patch import Files

from .place import Place, text_of

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
SCALAR = re.compile(
    r"\"[^\"\\\r\n]*\"|'[^'\r\n]*'|[A-Za-z0-9][\w.-]*(?=[ \t]*(?:\r|\n|$)|[ \t]+#)", re.ASCII
)


def locate(files: Files, directory: str, stack: str, key: str) -> Place | None:
    """Where the stack's file sets `namespace:key`; None if it does not."""
    file = under(directory, f"Pulumi.{stack}.yaml")
    if file not in files:
        return None
    text, bom = text_of(file, files[file])
    config = _config(file, text)
    if key not in config:
        return None
    value = config[key]
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise Abstained(f"{file}: {key} is no plain value")
    try:
        line, column = config.lc.value(key)
        start = sum(len(text_line) for text_line in LINE.findall(text)[:line]) + column
    except KeyError:  # merged in from another mapping
        start = line = -1
    found = SCALAR.match(text, start) if start >= 0 else None
    if not found or not _is_alone(file, text, found, key, str(value)):
        raise Abstained(f"{file}:{line + 1}: {key} is written in a way we do not edit")
    return Place(
        file=file,
        start=bom + len(text[:start].encode()),
        line=line + 1,
        token=found[0],
        value=str(value),
    )


def _is_alone(file: str, text: str, found: re.Match[str], key: str, value: str) -> bool:
    # The parser says what a line is, not we: try it, and see that this key and no other moved.
    other = f"{value}0"
    tried = text[: found.start()] + found[0].replace(value, other, 1) + text[found.end() :]
    before, after = (dict(_config(file, t)) for t in (text, tried))
    return str(after.pop(key, None)) == other and before.pop(key) is not None and before == after


def _config(file: str, text: str) -> CommentedMap:
    try:
        loaded = YAML(typ="rt", pure=True).load(text)
    except YAMLError as wrong:
        raise Abstained(f"{file} is no YAML: {' '.join(str(wrong).split())[:200]}") from wrong
    config = loaded.get("config") if isinstance(loaded, CommentedMap) else None
    return config if isinstance(config, CommentedMap) else CommentedMap()
