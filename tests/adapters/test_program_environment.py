"""The packages of a program, installed by an installer that tells what it was asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backburn.adapters.program_environment import Environments
from backburn.errors import Broken

UV = """#!/bin/sh
echo "$@ AWS=$AWS_SECRET_ACCESS_KEY" >> "$PIP_LOG"
case "$1" in
  venv) for last; do :; done; mkdir -p "$last/bin"; ln -s /bin/sh "$last/bin/python" ;;
  pip) for last; do :; done; if grep -q refused "$last"; then echo "hash mismatch" >&2; exit 1; fi ;;
esac
"""
LOCKFILE = b"pulumi==3.272.0 --hash=sha256:00\n"


@pytest.fixture
def environments(tmp_path: Path) -> Environments:
    """A cache, and a `uv` on PATH."""
    (tmp_path / "bin").mkdir()
    uv = tmp_path / "bin" / "uv"
    uv.write_text(UV)
    uv.chmod(0o755)
    environ = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "PIP_LOG": str(tmp_path / "log"),
        "AWS_SECRET_ACCESS_KEY": "nobody's business",
    }
    return Environments(tmp_path / "cache", environ)


def asked(tmp_path: Path) -> list[str]:
    """What the installer was asked."""
    return (tmp_path / "log").read_text().splitlines()


def test_a_lockfile_is_installed_once(environments: Environments, tmp_path: Path) -> None:
    """With hashes, whoever asks and however often, and with none of our credentials."""
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(environments.virtualenv, [LOCKFILE] * 4))
    assert len(made) == 1
    create, install = asked(tmp_path)
    assert create.startswith("venv -q --python ")
    assert "--require-hashes -r " in install
    assert "nobody" not in create + install
    assert (made.pop() / "requirements.txt").read_bytes() == LOCKFILE


def test_another_lockfile_is_another_environment(environments: Environments) -> None:
    """One byte is enough."""
    assert environments.virtualenv(LOCKFILE) != environments.virtualenv(LOCKFILE + b"\n")


def test_a_python_that_leads_nowhere_is_made_again(
    environments: Environments, tmp_path: Path
) -> None:
    """A cache of another machine holds the link, not what it points to."""
    python = environments.virtualenv(LOCKFILE) / "bin" / "python"
    python.unlink()
    python.symlink_to("/gone")
    environments.virtualenv(LOCKFILE)
    assert python.exists()
    assert len(asked(tmp_path)) == 4


def test_what_cannot_be_installed_is_told_and_tried_again(
    environments: Environments, tmp_path: Path
) -> None:
    """In the installer's words; a half-made environment is never used."""
    for _ in range(2):
        with pytest.raises(Broken, match="from its lockfile: hash mismatch"):
            environments.virtualenv(b"refused==1\n")
    assert len(asked(tmp_path)) == 4
