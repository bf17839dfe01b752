"""The one asset: the same bytes for the same content, everything it needs in it, small enough."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stacks import asset

ROOT = Path(__file__).parents[2]
IMPORT_ALL = """
import importlib, json, pkgutil, sys
names = [f"backburn.{kind}.{module.name}" for kind in ("steps", "routes", "events")
         for module in pkgutil.iter_modules([f"{sys.argv[1]}/backburn/{kind}"])]
for name in names:
    importlib.import_module(name)
foreign = [m.__file__ for m in list(sys.modules.values())
           if "site-packages" in (getattr(m, "__file__", None) or "")]
print(json.dumps({"names": names, "foreign": foreign}))
"""


def folder(where: Path, files: dict[str, str]) -> Path:
    """A folder with these files, written in this order."""
    for name, text in files.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return where


def packed(where: Path, files: dict[str, str]) -> Path:
    """The zip of such a folder."""
    zipped = where / "packed.zip"
    asset.pack(folder(where / "content", files), zipped)
    return zipped


def test_equal_content_makes_an_equal_zip(tmp_path: Path) -> None:
    """Whenever and in whatever order it was written, and whatever its permissions are."""
    one = packed(tmp_path / "one", {"a.py": "1", "b/c.json": "{}"})
    two = packed(tmp_path / "two", {"b/c.json": "{}", "a.py": "1"})
    os.utime(tmp_path / "two/content/a.py", (1, 1))
    (tmp_path / "two/content/a.py").chmod(0o600)
    asset.pack(tmp_path / "two/content", two)
    assert one.read_bytes() == two.read_bytes()
    assert asset.digest(one) == asset.digest(two)


@pytest.mark.parametrize("other", [{"a.py": "2"}, {"b.py": "1"}, {"a.py": "1", "b.py": ""}])
def test_other_content_makes_another_digest(tmp_path: Path, other: dict[str, str]) -> None:
    """Bytes and names count, whatever kind of file it is."""
    one, two = packed(tmp_path / "one", {"a.py": "1"}), packed(tmp_path / "two", other)
    assert asset.digest(one) != asset.digest(two)


def test_a_digest_does_not_depend_on_who_compressed_it(tmp_path: Path) -> None:
    """Compressors differ from machine to machine; synthesis must not."""
    one = packed(tmp_path, {"a.py": "1" * 1000})
    stored = tmp_path / "stored.zip"
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.py", "1" * 1000)
    assert asset.digest(one) == asset.digest(stored)


def test_an_asset_that_is_not_built_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence, instead of a stack trace of the CDK."""
    monkeypatch.setattr(asset, "BUILT", tmp_path)
    with pytest.raises(SystemExit, match="'lambda' is not built yet: run `make package` first"):
        asset.built("lambda")
    with pytest.raises(SystemExit, match="No asset is called 'windows'"):
        asset.built("windows")


def test_an_asset_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before AWS refuses it in the middle of a deployment."""
    content = folder(tmp_path, {"a.py": "12345", "b/c.py": "67890"})
    monkeypatch.setattr(asset, "UNZIPPED_LIMIT", 11)
    assert asset.require_small(content) == 10
    monkeypatch.setattr(asset, "UNZIPPED_LIMIT", 10)
    with pytest.raises(SystemExit, match="has 10 bytes and Lambda refuses 10"):
        asset.require_small(content)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The asset for this machine, unpacked; built anew if the sources are younger than it."""
    where = tmp_path_factory.mktemp("host")
    zipped = asset.BUILT / "host.zip"
    sources = [ROOT / "requirements.txt", *(ROOT / "lambdas").rglob("*.py")]
    youngest = max(source.stat().st_mtime for source in sources)
    if not zipped.exists() or zipped.stat().st_mtime < youngest:
        zipped = asset.build("host", where)
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(where / "unpacked")
    return where / "unpacked"


def test_every_step_route_and_event_imports_from_the_asset_alone(host: Path) -> None:
    """No environment, no package of the machine, nothing of the checkout."""
    code = f"import sys; sys.path.insert(0, sys.argv[1])\n{IMPORT_ALL}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code, str(host)],
        env={},
        cwd=host,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {name.split(".")[1] for name in told["names"]} == {"steps", "routes", "events"}
    assert told["foreign"] == []


def test_the_asset_holds_no_path_of_the_machine_that_built_it(host: Path) -> None:
    """Such paths would make a different asset on every machine."""
    here = str(ROOT).encode()
    small = [path for path in host.rglob("*") if path.is_file() and path.stat().st_size < 1_000_000]
    assert [path for path in small if here in path.read_bytes()] == []
    assert not (host / "bin").exists()


def test_the_host_asset_is_compiled_for_its_interpreter(host: Path) -> None:
    """/var/task is read-only: without bytecode, every cold start would compile everything."""
    tag = sys.implementation.cache_tag
    assert (host / f"backburn/__pycache__/incident.{tag}.pyc").exists()
    assert (host / f"pydantic/__pycache__/main.{tag}.pyc").exists()


def test_the_lambda_asset_has_wheels_of_its_own_platform_only(tmp_path: Path) -> None:
    """A wheel of the building machine would fail at the first import in AWS."""
    built = asset.build("lambda", tmp_path)
    tags: set[str] = set()
    with zipfile.ZipFile(built) as archive:
        for name in archive.namelist():
            if name.endswith(".dist-info/WHEEL"):
                tags |= set(re.findall(r"^Tag: (\S+)$", archive.read(name).decode(), re.MULTILINE))
        binaries = [name for name in archive.namelist() if name.endswith(".so")]
    assert binaries
    assert all("aarch64-linux-gnu" in name or ".so" in name for name in binaries)
    for tag in tags:
        assert re.fullmatch(r"(py2|py3)-none-any|cp313-(cp313|abi3)-manylinux\w*_aarch64", tag), tag
