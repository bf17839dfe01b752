"""The real Pulumi CLI, pinned: found, downloaded or built, in that order.

`path()` for programs, `python -m sandbox.pulumi.cli` for people and Makefiles.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from sandbox.pulumi.cache import cache, locked, say

from . import gobuild, release
from .release import PLATFORM, VERSION


class NoCliError(RuntimeError):
    """There is no Pulumi CLI and no way to get one; the message says what to install."""


def path() -> Path:
    """A Pulumi CLI of at least the pinned version, made on first use; NoCliError otherwise."""
    return _on_path() or _cached() or _made()


def _on_path() -> Path | None:
    found = shutil.which("pulumi")
    if found and _version(found) >= _numbers(VERSION):
        return Path(found)
    return None


def _directory() -> Path:
    return cache() / "pulumi" / f"v{VERSION}-{PLATFORM}"


def _cached() -> Path | None:
    binary = _directory() / "pulumi"
    return binary if binary.exists() else None


def _made() -> Path:
    """Into a folder of its own, renamed when it is whole, so that nobody finds half a CLI."""
    directory = _directory()
    with locked(directory, "Pulumi CLI"):
        if made := _cached():
            return made
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".making-") as scratch:
            making = Path(scratch, "pulumi")
            making.mkdir()
            if not release.download(making):
                if not gobuild.possible():
                    raise NoCliError(
                        f"the Pulumi CLI v{VERSION} is missing, cannot be downloaded from here and "
                        f"cannot be built without Go: install it (pulumi.com/docs/install), or Go "
                        f"{gobuild.GO} or newer (go.dev/dl), then run this again"
                    )
                gobuild.build(making)
            if _version(str(making / "pulumi")) < _numbers(VERSION):
                raise NoCliError(f"{making / 'pulumi'} is no Pulumi CLI v{VERSION}")
            making.rename(directory)
    say(f"Pulumi CLI v{VERSION} is in {directory}")
    return directory / "pulumi"


def _version(binary: str) -> tuple[int, ...]:
    """What `pulumi version` prints; a build without a version stamp prints nothing."""
    try:
        said = subprocess.run(
            [binary, "version"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return _numbers(said.stdout)


def _numbers(text: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(number) for number in found.groups()) if found else ()
