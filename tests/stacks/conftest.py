"""Synthesised once per run, with a tiny asset: importing the CDK and synthesising takes seconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app
from backburn import workloads_yaml
from stacks import asset
from tests.stacks.template import Template

HERE = Path(__file__).parent


def synthesise(into: Path) -> dict[str, Any]:
    """The template of the real stack over two workloads."""
    content = into / "content"
    content.mkdir(parents=True)
    (content / "nothing.py").write_text("")
    zipped = into / "tiny.zip"
    asset.pack(content, zipped)
    scope = cdk.App(outdir=str(into / "cdk.out"), analytics_reporting=False)
    workloads = workloads_yaml.load(HERE / "workloads.yaml")
    app.compose(scope, workloads, asset.Asset(zipped, asset.digest(zipped)))
    assembly = scope.synth()
    return dict(json.loads(Path(assembly.directory, "Backburn.template.json").read_text()))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The synthesised stack."""
    return Template(synthesise(tmp_path_factory.mktemp("synth")))
