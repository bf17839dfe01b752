"""A program as it is kept in the bundle store: one zip of plain files."""

from __future__ import annotations

import hashlib
import io
import posixpath
import stat
import zipfile
from collections.abc import Mapping

from .canonical import digest
from .errors import ProgramMissing

LARGEST = 32 * 1024 * 1024  # bytes unpacked; a program is text, its dependencies stay outside
EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's zero: the same files make the same bytes


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of a bundle; ProgramMissing if the zip is none we would unpack."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _files(archive)
    except zipfile.BadZipFile as wrong:
        raise ProgramMissing(f"the bundle is no zip: {wrong}") from wrong


def pack(files: Mapping[str, bytes]) -> bytes:
    """The bundle of these files: the same files, the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def sha256(files: Mapping[str, bytes]) -> str:
    """The digest of names and contents; how they were packed does not matter."""
    return digest({name: hashlib.sha256(data).hexdigest() for name, data in files.items()})


def under(directory: str, name: str) -> str:
    """The path of a file in the program's folder within the bundle."""
    return posixpath.normpath(posixpath.join(directory, name))


def _files(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = [e for e in archive.infolist() if not e.is_dir()]
    if sum(e.file_size for e in entries) > LARGEST:
        raise ProgramMissing(f"the bundle unpacks to more than {LARGEST} bytes: leave venvs out")
    files: dict[str, bytes] = {}
    for entry in entries:
        name = entry.filename
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0]:
            raise ProgramMissing(f"the bundle holds {name!r}, which would leave its folder")
        if posixpath.normpath(name) != name:  # `./a` would be written over `a`
            raise ProgramMissing(f"the bundle holds {name!r}: zip it without such a path")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ProgramMissing(f"the bundle holds a symbolic link, {name!r}")
        if name in files:
            raise ProgramMissing(f"the bundle holds {name!r} twice")
        files[name] = archive.read(entry)
    return files
