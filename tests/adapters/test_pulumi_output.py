"""What the CLI prints, as it was seen to print it."""

from __future__ import annotations

import json

import pytest

from backburn.adapters.pulumi_output import Said, broken, document, locked, run, versions

LOCK = """\
error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end \
or delete the lock file with `pulumi cancel`.
  s3://b/.pulumi/locks/organization/shop/dev/a.json: created by root@build (pid 12) at \
2026-11-24T05:00:00Z
  s3://b/.pulumi/locks/organization/shop/dev/b.json: created by ann@laptop.local (pid 7) at \
2026-11-24T05:01:00Z
"""
TRACE = (
    "error: Program failed with an unhandled exception:\nTraceback (most recent call last):\n"
    '  File "__main__.py", line 46, in <module>\n    raise ValueError("boom")\n'
    "ValueError: boom\n\n"
)


def test_text_before_the_document_is_skipped() -> None:
    """A policy pack's installation may talk first."""
    assert document('Installing...\n{"steps": []}\n') == {"steps": []}
    assert document("no document") is None
    assert document("{half") is None


def test_every_lock_is_read() -> None:
    """Who, where, since when."""
    found = locked(LOCK)
    assert found is not None
    assert found.holders == (("build", 12), ("laptop.local", 7))
    assert "ann on laptop.local (process 7) since 2026-11-24T05:01:00Z" in str(found)
    assert locked("error: something else") is None


def test_a_program_error_is_told_from_its_end() -> None:
    """The exception first in line: what follows may be cut."""
    preview = {
        "diagnostics": [
            {"severity": "warning", "message": "using a plugin from PATH"},
            {"severity": "error", "message": TRACE},
        ]
    }
    said = broken(Said(1, "", ""), preview)
    assert said.startswith("the program does not run: ValueError: boom")
    assert 'File "__main__.py", line 46' in said
    assert broken(Said(6, "", "error: no stack named 'x' found"), None) == (
        "the stack does not exist (error: no stack named 'x' found): create it or mend"
        " workloads.yaml"
    )
    assert broken(Said(1, "", ""), None) == "the program does not run: it said nothing"


def test_a_run_is_its_summary() -> None:
    """Exit 0 without a summary is no success; other lines are skipped."""
    good = json.dumps({"summaryEvent": {"result": "succeeded"}})
    assert run(Said(0, f"warning\n{good}\n[1]\n", "")).ok
    assert not run(Said(0, "", "")).ok
    assert not run(Said(1, good, "")).ok
    bad = json.dumps({"summaryEvent": {"result": "failed"}})
    first = json.dumps({"diagnosticEvent": {"severity": "error", "message": "error: no"}})
    failed = run(Said(0, f"{first}\n{bad}", ""))
    assert (failed.ok, failed.said) == (False, "error: no")


@pytest.mark.parametrize(
    ("about", "host"),
    [
        ({"plugins": [{"name": "python", "version": "1.2", "kind": "language"}]}, "python 1.2"),
        ({"plugins": [{"name": "python", "kind": "language"}]}, "python of the CLI"),
        ({"plugins": None}, "of the CLI"),
    ],
)
def test_versions_are_of_cli_and_host(about: dict[str, object], host: str) -> None:
    """A host that comes with the CLI has none of its own."""
    told = json.dumps(about | {"cliAbout": {"version": "3.259.0"}})
    assert versions(told) == ("3.259.0", host)
