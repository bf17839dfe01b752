"""The packages of a Pulumi program: one virtualenv per lockfile, made once, kept in the cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from backburn.errors import Broken

WHOLE = ".complete"  # written last: a virtualenv without it is half made
INSTALL_SECONDS = 600
# The installer reaches package indexes only; nothing of AWS or of the program is its business.
PASSED = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "XDG_CACHE_HOME")
PREFIXES = ("UV_", "PIP_", "HTTP_", "HTTPS_", "NO_PROXY", "http_", "https_", "no_proxy")


class Environments:
    """The virtualenvs below one cache folder."""

    def __init__(self, cache: Path, environ: Mapping[str, str]) -> None:
        self._folder = cache / "venvs"
        self._environ = {k: v for k, v in environ.items() if k in PASSED or k.startswith(PREFIXES)}

    def virtualenv(self, lockfile: bytes) -> Path:
        """The virtualenv with exactly what this lockfile names; Broken if it cannot be made."""
        made = self._folder / hashlib.sha256(lockfile).hexdigest()[:16]
        if not _usable(made):
            with _locked(made):
                if not _usable(made):
                    self._make(made, lockfile)
        return made

    def _make(self, made: Path, lockfile: bytes) -> None:
        shutil.rmtree(made, ignore_errors=True)
        python = str(made / "bin" / "python")
        if uv := shutil.which("uv", path=self._environ.get("PATH")):
            create = [uv, "venv", "-q", "--python", sys.executable, str(made)]
            install = [uv, "pip", "install", "-q", "--python", python]
        else:
            create = [sys.executable, "-m", "venv", str(made)]
            install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        self._run(create)
        names = made / "requirements.txt"
        names.write_bytes(lockfile)
        self._run([*install, "--require-hashes", "-r", str(names)])
        (made / WHOLE).touch()

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(  # noqa: S603 - our own argument list, no shell
            command,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())[-300:]
            raise Broken(f"the program's packages cannot be installed from its lockfile: {said}")


def _usable(made: Path) -> bool:
    # Its Python is a link: a cache from another machine may hold one that leads nowhere.
    return (made / WHOLE).exists() and (made / "bin" / "python").exists()


@contextmanager
def _locked(made: Path) -> Iterator[None]:
    """Hold the lock beside the folder, so that two builds at once make it once."""
    made.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(made.with_name(f"{made.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
