"""A program as one zip."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburn import bundle
from backburn.errors import ProgramMissing


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    """A zip of these entries, whatever they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


@given(st.dictionaries(st.text("abc", min_size=1), st.binary(max_size=20)))
def test_the_same_files_are_the_same_bytes(files: dict[str, bytes]) -> None:
    """No time, mode or order leaks in; nothing is lost."""
    packed = bundle.pack(files)
    assert bundle.pack(dict(reversed(files.items()))) == packed
    assert bundle.unpack(packed) == files


def test_the_digest_is_of_names_and_contents() -> None:
    """How it was packed does not matter; one byte does."""
    files = {"a": b"1", "b": b"2"}
    assert bundle.sha256(bundle.unpack(zipped(("b", b"2"), ("a", b"1")))) == bundle.sha256(files)
    assert bundle.sha256(files | {"a": b"2"}) != bundle.sha256(files)
    assert bundle.sha256({"a": b"1", "c": b"2"}) != bundle.sha256(files)


def test_folders_are_no_files() -> None:
    """Entries of folders carry nothing."""
    assert bundle.unpack(zipped(("infra/", b""), ("infra/a", b"1"))) == {"infra/a": b"1"}


def link() -> zipfile.ZipInfo:
    """A symbolic link."""
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no zip", "is no zip"),
        (zipped(("../../etc/cron.d/x", b"")), "leave its folder"),
        (zipped(("/etc/passwd", b"")), "leave its folder"),
        (zipped(("a\\..\\b", b"")), "leave its folder"),
        (zipped(("C:/x", b"")), "leave its folder"),
        (zipped((link(), b"/etc/passwd")), "symbolic link"),
        (zipped(("big", bytes(bundle.LARGEST + 1))), "leave venvs out"),
    ],
)
def test_what_would_do_harm_is_not_unpacked(data: bytes, said: str) -> None:
    """Paths out of the folder, links, and more than a program can be."""
    with pytest.raises(ProgramMissing, match=said):
        bundle.unpack(data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_is_refused() -> None:
    """Which of the two would run is nobody's guess."""
    with pytest.raises(ProgramMissing, match="twice"):
        bundle.unpack(zipped(("a", b"1"), ("a", b"2")))


@pytest.mark.parametrize("name", ["./Pulumi.yaml", "infra//a", "infra/./a"])
def test_law_2_one_file_has_one_name(name: str) -> None:
    """What is hashed and read as `a` must not be overwritten by `./a` when it runs."""
    with pytest.raises(ProgramMissing, match="without such a path"):
        bundle.unpack(zipped(("Pulumi.yaml", b"1"), (name, b"2")))


def test_paths_are_within_the_programs_folder() -> None:
    """`.` is the bundle itself."""
    assert bundle.under(".", "Pulumi.yaml") == "Pulumi.yaml"
    assert bundle.under("infra/", "Pulumi.yaml") == "infra/Pulumi.yaml"
