"""The one asset that Lambda and CodeBuild run: `python -m stacks.asset [lambda|host]`.

Built before synth and without Docker, because bundling inside synth would make synth slow, online
and different from machine to machine. `lambda` is what AWS runs; `host` is the same for this
machine's interpreter, for the sandbox.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILT = ROOT / ".build" / "asset"
UNZIPPED_LIMIT = 250_000_000  # Lambda's own, in bytes
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest moment a zip can say: no clock leaks into the asset

# What AWS runs: the functions' runtime and the builds' image are of the same kind.
PYTHON = "3.13"
ARCHITECTURE = "arm64"
TARGETS = {
    # The runtime is Amazon Linux 2023 with glibc 2.34; libcst has no older wheels than 2.28.
    "lambda": ("--python-platform", "aarch64-manylinux_2_28", "--python-version", PYTHON),
    "host": ("--python", sys.executable),
}


@dataclass(frozen=True)
class Asset:
    """A built zip and the hash of its content."""

    zipped: Path
    digest: str


def built(target: str) -> Asset:
    """The asset as it lies there; SystemExit with the way to it if it was not built."""
    if target not in TARGETS:
        raise SystemExit(f"No asset is called {target!r}; there are {', '.join(TARGETS)}.")
    zipped = BUILT / f"{target}.zip"
    if not zipped.exists():
        raise SystemExit(f"The asset {target!r} is not built yet: run `make package` first.")
    return Asset(zipped, digest(zipped))


def digest(zipped: Path) -> str:
    """A hash of names and contents alone: equal on every machine, whatever compressed it."""
    total = hashlib.sha256()
    with zipfile.ZipFile(zipped) as archive:
        for name in sorted(archive.namelist()):
            total.update(f"{name}\0{hashlib.sha256(archive.read(name)).hexdigest()}\n".encode())
    return total.hexdigest()


def build(target: str, into: Path = BUILT) -> Path:
    """Install the locked requirements, add our sources, zip; nothing is left half-built."""
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into, prefix=f"{target}-") as scratch:
        folder = Path(scratch) / "content"
        _install(target, folder)
        _add_sources(folder)
        _compile(target, folder)
        size = require_small(folder)
        zipped = Path(scratch) / "content.zip"
        pack(folder, zipped)
        shutil.rmtree(into / target, ignore_errors=True)
        folder.rename(into / target)
        zipped.replace(into / f"{target}.zip")
    sys.stdout.write(f"asset {target}: {size / 1e6:.0f} MB unzipped\n")
    return into / f"{target}.zip"


def require_small(folder: Path) -> int:
    """The folder's bytes; SystemExit if Lambda would refuse so many."""
    size = sum(file.stat().st_size for file in _files(folder))
    if size >= UNZIPPED_LIMIT:
        raise SystemExit(
            f"The asset has {size:,} bytes and Lambda refuses {UNZIPPED_LIMIT:,}: "
            "take a dependency out of pyproject.toml."
        )
    return size


def pack(folder: Path, zipped: Path) -> None:
    """Zip a folder so that equal contents make equal zips."""
    with zipfile.ZipFile(zipped, "w") as archive:
        for file in _files(folder):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=6)


def _install(target: str, folder: Path) -> None:
    command = [_uv(), "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    command += ["--no-installer-metadata", "--no-compile-bytecode", "--link-mode", "copy"]
    command += ["--target", str(folder), *TARGETS[target], "-r", str(ROOT / "requirements.txt")]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own arguments
        raise SystemExit(f"The asset {target!r} was not built: see what uv says above.")
    # Console scripts name the interpreter that installed them; nothing runs them.
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for leftover in (*folder.glob(".lock"), *folder.rglob("__pycache__")):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


def _add_sources(folder: Path) -> None:
    shutil.copytree(
        ROOT / "lambdas" / "backburn",
        folder / "backburn",
        ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
    )


def _compile(target: str, folder: Path) -> None:
    """Bytecode beside the sources: /var/task is read-only, so every cold start would compile."""
    python = sys.executable if target == "host" else _interpreter()
    if not python:
        sys.stderr.write(
            f"There is no Python {PYTHON} here, so the asset {target!r} holds no bytecode: its "
            "functions run, but their cold starts are slower.\n"
        )
        return
    # Unchecked hashes and the path in Lambda: neither a clock nor this machine gets in.
    command = [python, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode"]
    command += ["unchecked-hash", "-s", str(folder), "-p", "/var/task", str(folder)]
    subprocess.run(command, check=True)  # noqa: S603 - our own arguments


def _interpreter() -> str:
    find = [_uv(), "python", "find", "--quiet", "--system", "--no-python-downloads", PYTHON]
    return subprocess.run(find, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def _uv() -> str:
    return os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    for name in sys.argv[1:] or TARGETS:
        build(name)
