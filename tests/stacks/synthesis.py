"""The real stack over two workloads, with an asset of one empty file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk

import app
from backburn import workloads_yaml
from stacks import asset

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
