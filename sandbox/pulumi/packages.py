"""The packages of a Pulumi program, installed where the product's builds will look for them.

`python -m sandbox.pulumi.packages chatbot/infra` prints the virtualenv's path.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from backburn.adapters.program_environment import Environments
from backburn.errors import Broken

from .cache import cache, say

QUICK = 1.0  # seconds; longer than that it is being installed


def virtualenv(program: Path) -> Path:
    """The virtualenv with exactly what the program's lockfile names, made on first use."""
    lockfile = program / "requirements.txt"
    told = threading.Timer(
        QUICK, say, [f"packages of the Pulumi program {program} (400 MB, about a minute)"]
    )
    told.start()
    try:
        return Environments(cache(), os.environ).virtualenv(lockfile.read_bytes())
    finally:
        told.cancel()


if __name__ == "__main__":
    try:
        print(virtualenv(Path(sys.argv[1])))
    except Broken as error:
        sys.exit(f"set-up: {error}")
