"""The packages of a Pulumi program: one virtualenv per lockfile, made once, kept in the cache.

`python -m sandbox.pulumi.packages chatbot/infra` prints the virtualenv's path.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from .cache import cache, locked, say

LOCKFILE = "requirements.txt"
WHOLE = ".complete"  # written last: a virtualenv without it is half made


class PackagesError(RuntimeError):
    """The packages could not be installed; the message ends with what the installer said."""


def virtualenv(program: Path) -> Path:
    """The virtualenv with exactly what the program's lockfile names."""
    lockfile = program / LOCKFILE
    digest = hashlib.sha256(lockfile.read_bytes()).hexdigest()[:16]
    directory = cache() / "venvs" / digest
    if not (directory / WHOLE).exists():
        with locked(directory, f"packages of {program.name}"):
            if not (directory / WHOLE).exists():
                _make(directory, lockfile)
    return directory


def _make(directory: Path, lockfile: Path) -> None:
    say(f"packages of the Pulumi program {lockfile.parent} (400 MB, about a minute)")
    shutil.rmtree(directory, ignore_errors=True)
    if uv := shutil.which("uv"):
        create = [uv, "venv", "-q", "--python", sys.executable, str(directory)]
        install = [uv, "pip", "install", "-q", "--python", str(directory / "bin" / "python")]
    else:
        create = [sys.executable, "-m", "venv", str(directory)]
        install = [str(directory / "bin" / "python"), "-m", "pip", "install", "-q"]
    for command in (create, [*install, "--require-hashes", "-r", str(lockfile)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PackagesError(
                f"the packages of {lockfile} could not be installed:\n{done.stderr[-2000:]}"
            )
    (directory / WHOLE).touch()


if __name__ == "__main__":
    try:
        print(virtualenv(Path(sys.argv[1])))
    except PackagesError as error:
        sys.exit(f"set-up: {error}")
