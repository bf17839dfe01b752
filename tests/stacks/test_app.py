"""What synthesis refuses, before anything is made of it."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
import pytest

import app
from backburn import workloads_yaml

GOOD = (Path(__file__).parent / "workloads.yaml").read_text()


def refusal(text: str, folder: Path) -> str:
    """What the app says of a workloads.yaml with this text when it gives up."""
    path = folder / "workloads.yaml"
    path.write_text(text)
    scope = cdk.App(
        outdir=str(folder / "cdk.out"), context={"workloads": str(path), "asset": "none"}
    )
    with pytest.raises(SystemExit) as gave_up:
        app.synthesise(scope)
    assert not list(folder.glob("cdk.out/*.template.json"))
    return str(gave_up.value)


def test_a_wrong_file_is_refused_with_line_field_and_what_was_expected(
    tmp_path: Path,
) -> None:
    """In the loader's words: no stack trace, no half-made assembly."""
    text = GOOD.replace("max_cpu: 2048", "max_cpu: lots")
    line = next(i for i, row in enumerate(text.splitlines(), 1) if "max_cpu: lots" in row)
    said = refusal(text, tmp_path)
    assert said.startswith("workloads.yaml is wrong in one place:")
    assert f"line {line}, workloads[0].settings[0].max_cpu:" in said
    assert "integer" in said


def test_a_state_that_the_builds_cannot_open_is_refused() -> None:
    """Permissions are given on an S3 bucket; on a folder they cannot be."""
    text = GOOD.replace("s3://state-two/search", "file:///state")
    with pytest.raises(SystemExit) as gave_up:
        app.reach(workloads_yaml.parse(text).named("search"))
    assert str(gave_up.value) == (
        "workload search, program.backend: must be s3://bucket[/path][?options], "
        "found 'file:///state'"
    )


def test_an_unknown_asset_is_refused(tmp_path: Path) -> None:
    """With the names of those that there are."""
    said = refusal(GOOD, tmp_path)
    assert said == "No asset is called 'none'; there are lambda, host."


def test_the_workloads_of_this_repository_are_right() -> None:
    """What ships is what a user copies."""
    root = Path(app.__file__).parent
    loaded = workloads_yaml.load(root / "workloads.yaml")
    assert [app.reach(workload).state_bucket for workload in loaded.workloads]
