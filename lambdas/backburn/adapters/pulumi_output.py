"""What the Pulumi CLI prints, read: documents, events, locks, and errors with their own lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from backburn.errors import Locked
from backburn.update import Event, Run

LONGEST = 1200
FEW_LINES = 12
STACK_NOT_FOUND = 6  # exit codes "must be treated as stable"
LOCK = re.compile(r"created by (?P<user>[^@\s]*)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<at>\S+)")
TOLD = ("resOutputsEvent", "resOpFailedEvent", "diagnosticEvent", "summaryEvent", "errorEvent")


class Said(NamedTuple):
    """How one command ended."""

    code: int
    out: str
    err: str


def document(out: str) -> dict[str, Any] | None:
    """The JSON object in the output, which other text may precede; None if there is none."""
    start = out.find("{")
    if start < 0:
        return None
    try:
        found = json.JSONDecoder().raw_decode(out, start)[0]
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def versions(out: str) -> tuple[str, str]:
    """The CLI's and the language host's, of `pulumi about --json`."""
    about = document(out) or {}
    hosts = [p for p in about.get("plugins") or [] if p.get("kind") == "language"]
    # A host that comes with the CLI has no version of its own.
    named = sorted(f"{p['name']} {p.get('version') or 'of the CLI'}" for p in hosts)
    cli = (about.get("cliAbout") or {}).get("version") or "unknown"
    return str(cli), ", ".join(named) or "of the CLI"


def run(said: Said) -> Run:
    """What `pulumi up --json` did."""
    events = tuple(_events(said.out))
    ended = [e["summaryEvent"] for e in events if "summaryEvent" in e]
    ok = said.code == 0 and bool(ended) and ended[-1].get("result") == "succeeded"
    return Run(ok, events, "" if ok else _short(_errors(events) or [said.err]))


def locked(err: str) -> Locked | None:
    """The answer if another update holds the stack."""
    if "the stack is currently locked by" not in err:
        return None
    holders = tuple((m["host"], int(m["pid"])) for m in LOCK.finditer(err))
    said = ", ".join(
        f"{m['user']} on {m['host']} (process {m['pid']}) since {m['at']}"
        for m in LOCK.finditer(err)
    )
    held = f"the stack is locked by {said or 'somebody'}: wait for it to end, then retry"
    return Locked(held, holders)


def broken(said: Said, preview: Mapping[str, Any] | None) -> str:
    """Why the program does not run, in its own lines."""
    if said.code == STACK_NOT_FOUND:
        return f"the stack does not exist ({_short([said.err])}): create it or mend workloads.yaml"
    diagnostics = (preview or {}).get("diagnostics") or []
    errors = [str(d["message"]) for d in diagnostics if d.get("severity") == "error"]
    return f"the program does not run: {_short(errors or [said.err])}"


def _events(out: str) -> Iterator[Event]:
    for line in out.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and any(name in event for name in TOLD):
            yield event


def _errors(events: tuple[Event, ...]) -> list[str]:
    said = [e["diagnosticEvent"] for e in events if "diagnosticEvent" in e]
    errors = [str(d.get("message", "")) for d in said if d.get("severity") == "error"]
    return errors + [str(e["errorEvent"].get("error", "")) for e in events if "errorEvent" in e]


def _short(messages: list[str]) -> str:
    """The first error is the cause. A traceback's last line says most and comes first."""
    lines = [line.strip() for line in (messages[0] if messages else "").splitlines()]
    told = [line for line in lines if line and not line.startswith("warning:")]
    if any(line.startswith("Traceback") for line in told):
        told = [told[-1], *told[:-1][-FEW_LINES:]]
    return " | ".join(told[:FEW_LINES])[:LONGEST] or "it said nothing"
