"""The official release of the Pulumi CLI, with its language hosts."""

from __future__ import annotations

import platform
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import httpx

from sandbox.pulumi.cache import say

VERSION = "3.259.0"
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}
PLATFORM = f"{sys.platform}-{_MACHINES.get(platform.machine(), platform.machine())}"
# Where get.pulumi.com/install.sh looks, in its order; it says x64 for amd64.
_FILE = f"pulumi-v{VERSION}-{PLATFORM.replace('amd64', 'x64')}.tar.gz"
ADDRESSES = (
    f"https://github.com/pulumi/pulumi/releases/download/v{VERSION}/{_FILE}",
    f"https://get.pulumi.com/releases/sdk/{_FILE}",
)
# A machine that may not reach it must not wait: five seconds to connect, ten between packets.
PATIENCE = httpx.Timeout(10, connect=5)
MEGABYTE = 1_000_000


def download(directory: Path, addresses: Sequence[str] = ADDRESSES) -> bool:
    """Unpack the release into `directory`; False if nobody answers in time."""
    for address in addresses:
        try:
            with tempfile.TemporaryFile() as archive:
                _fetch(address, archive)
                archive.seek(0)
                with tarfile.open(fileobj=archive, mode="r:gz") as files:
                    for member in files:
                        # pulumi/pulumi, pulumi/pulumi-language-python, ...: all in one folder.
                        member.name = Path(member.name).name
                        if member.isfile():
                            files.extract(member, directory, filter="data")
        except (httpx.HTTPError, tarfile.TarError, OSError) as error:
            say(f"Pulumi CLI: {httpx.URL(address).host} did not serve it ({error})")
        else:
            return True
    return False


def _fetch(address: str, archive: IO[bytes]) -> None:
    with httpx.stream("GET", address, timeout=PATIENCE, follow_redirects=True) as answer:
        answer.raise_for_status()
        told, size = time.monotonic(), 0
        for chunk in answer.iter_bytes():
            archive.write(chunk)
            size += len(chunk)
            if time.monotonic() - told > 3:  # noqa: PLR2004  seconds between two lines
                told = time.monotonic()
                say(f"Pulumi CLI: {size / MEGABYTE:.0f} MB downloaded")
