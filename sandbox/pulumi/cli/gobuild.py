"""The Pulumi CLI built from source, as a tool dependency of the module beside this file.

`go install ...@version` is refused because pulumi's go.mod has a replace directive; a module of
our own may repeat that directive. Cold it takes about four minutes on two busy cores.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from sandbox.pulumi.cache import say

from .release import VERSION

GO = "1.26"  # the `go` line of go.mod
MODULE = Path(__file__).parent
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
STAMP = f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
SECONDS_BETWEEN_LINES = 5


class BuildFailedError(RuntimeError):
    """Go could not build the CLI; the message ends with what it said."""


def possible() -> bool:
    """Whether there is a Go new enough (it may fetch a newer toolchain by itself)."""
    go = shutil.which("go")
    if go is None:
        return False
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"go(\d+)\.(\d+)", said)
    if found is None:
        return False
    return [int(number) for number in found.groups()] >= [int(n) for n in GO.split(".")]


def build(directory: Path) -> None:
    """Build the CLI into `directory`, saying every few seconds how far it is."""
    say("Pulumi CLI: building it with Go, a few minutes the first time")
    command = [
        *("go", "build", "-v", "-mod=readonly", "-trimpath", "-tags", "osusergo,grpcnotrace"),
        *("-ldflags", f"-s -w -X {STAMP}", "-o", str(directory / "pulumi"), PACKAGE),
    ]
    process = subprocess.Popen(
        command,
        cwd=MODULE,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    progress = Progress()
    reader = threading.Thread(target=progress.follow, args=(process.stderr,), daemon=True)
    reader.start()
    while process.poll() is None:
        reader.join(SECONDS_BETWEEN_LINES)
        if process.poll() is None:
            say(f"Pulumi CLI: {progress}")
            time.sleep(0 if reader.is_alive() else 1)  # silent, but not ended yet
    reader.join()
    if process.returncode:
        raise BuildFailedError(
            f"Go could not build the Pulumi CLI v{VERSION}:\n" + "\n".join(progress.lines)
        )


class Progress:
    """How far the compiler is, from what `go build -v` prints."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.fetched = self.compiled = 0
        self.lines: deque[str] = deque(maxlen=15)

    def follow(self, output: Iterable[str] | None) -> None:
        """Count lines until there are no more."""
        for line in output or ():
            self.lines.append(line.strip())
            self.fetched += line.startswith("go: downloading")
            self.compiled += not line.startswith("go: ")

    def __str__(self) -> str:
        seconds = time.monotonic() - self.begun
        now = self.lines[-1].removeprefix("go: ") if self.lines else "asking Go what to do"
        if self.lines and self.lines[-1] == PACKAGE:
            now = "linking"  # Go names the last package when its compilation begins
        return (
            f"{seconds:.0f} s, {self.fetched} modules downloaded, "
            f"{self.compiled} packages compiled, now {now}"
        )
