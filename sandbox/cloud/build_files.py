"""What goes into a build and what comes out: its source and its artifacts, both on S3."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .buildspec import BuildspecError
from .caller import Caller


def fetch(source: Mapping[str, Any], into: Path, caller: Caller) -> str:
    """Unpack the source of a project; the text of its buildspec."""
    if source.get("type") == "S3":
        bucket, _, key = _plain(source["location"]).partition("/")
        archive = caller.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        unzip(archive, into)
    text: str = source.get("buildspec") or "buildspec.yml"
    if "\n" in text or text.lstrip().startswith("{"):
        return text
    try:
        return (into / text).read_text()
    except OSError:
        raise BuildspecError(f"YAML_FILE_ERROR: {text} does not exist in the source") from None


def keep(
    where: Mapping[str, Any], wanted: Mapping[str, Any], source: Path, caller: Caller
) -> str | None:
    """Zip the artifacts a buildspec asks for and store them; where they are."""
    patterns = wanted.get("files")
    if where.get("type") != "S3" or not patterns:
        return None
    base = source / (wanted.get("base-directory") or "")
    files = sorted({path for pattern in patterns for path in base.glob(pattern) if path.is_file()})
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for file in files:
            zipped.write(file, file.relative_to(base))
    bucket, key = (
        _plain(where["location"]),
        "/".join(filter(None, [where.get("path"), where["name"]])),
    )
    caller.client("s3").put_object(Bucket=bucket, Key=key, Body=archive.getvalue())
    return f"arn:aws:s3:::{bucket}/{key}"


def unzip(archive: bytes, into: Path) -> None:
    """Unpack with the executable bits, as CodeBuild does and `extractall` does not."""
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        for info in zipped.infolist():
            path = zipped.extract(info, into)
            if mode := info.external_attr >> 16 & 0o777:
                Path(path).chmod(mode)


def _plain(location: str) -> str:
    return location.removeprefix("arn:aws:s3:::")
