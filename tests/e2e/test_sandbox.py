"""The sandbox as a person keeps it up: `python -m sandbox`, until Ctrl-C."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

pytestmark = pytest.mark.e2e

STARTS_WITHIN = 180  # seconds


def test_ctrl_c_ends_every_process_it_started_and_only_those(tmp_path: Path) -> None:
    """It writes its addresses, all of them serve, and nothing of it is left behind."""
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--directory", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    bystander = subprocess.Popen(["sleep", "300"])
    try:
        addresses = _addresses(sandbox, tmp_path / "addresses.json")
        assert addresses.keys() >= {"aws", "api", "honeycomb", "mailbox", "chatbot"}
        assert httpx.get(f"{addresses['chatbot']}/api/health").is_success
        assert httpx.get(f"{addresses['mailbox']}/mails.json").is_success
        assert httpx.post(f"{addresses['api']}/webhooks/honeycomb", timeout=30).status_code == 401
        started = psutil.Process(sandbox.pid).children(recursive=True)
        assert len(started) >= 6
    finally:
        sandbox.send_signal(signal.SIGINT)
        told, _ = sandbox.communicate(timeout=60)

    assert sandbox.returncode == 0, told
    _, left = psutil.wait_procs(started, timeout=10)
    assert left == []
    assert bystander.poll() is None
    bystander.terminate()
    assert not (tmp_path / "addresses.json").exists()


def _addresses(sandbox: subprocess.Popen[str], file: Path) -> dict[str, str]:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and sandbox.poll() is None:
        if file.exists() and (text := file.read_text()).endswith("}\n"):
            return dict(json.loads(text))
        time.sleep(0.5)
    pytest.fail(f"no {file.name}: {sandbox.communicate(timeout=30)[0] if sandbox.poll() else ''}")
