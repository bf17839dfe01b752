"""A part of the sandbox says when it serves, and ends when it is told to."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("part", ["bedrock", "mailbox"])
def test_a_part_is_ready_when_it_says_so(part: str, tmp_path: Path) -> None:
    """One line with its address, which answers; after SIGTERM it is gone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", f"sandbox.{part}", "--port", str(port)]
    if part == "mailbox":
        command += ["--outbox", str(tmp_path / "outbox")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"ready http://127.0.0.1:{port}\n"
            path = {"bedrock": "/_sandbox/quota", "mailbox": "/mails.json"}[part]
            assert httpx.get(f"http://127.0.0.1:{port}{path}").status_code == 200
        finally:
            process.terminate()
        process.wait(10)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}")
