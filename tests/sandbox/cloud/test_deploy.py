"""A cloud assembly is deployed with its assets, parameters and outputs."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from sandbox.cloud.deploy import DeployError, deploy, packed
from tests.sandbox.cloud.world import Cloud

FUNCTION = 'def handler(event, context):\n    return {"said": "%s"}\n'
KEY = "asset.zip"
BUCKET = "cdk-assets-${AWS::AccountId}-${AWS::Region}"


def template(word: str) -> dict[str, Any]:
    """A function whose code is an asset."""
    return {
        "Parameters": {"Word": {"Type": "String", "Default": "none"}},
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17"}},
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"S3Bucket": {"Fn::Sub": BUCKET}, "S3Key": f"{word}-{KEY}"},
                    "Handler": "main.handler",
                    "Runtime": "python3.12",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                },
            },
        },
        "Outputs": {
            "Name": {"Value": {"Ref": "Function"}},
            "Word": {"Value": {"Ref": "Word"}},
        },
    }


def assembly(folder: Path, word: str, **changed: Any) -> Path:
    """What `cdk synth` writes, as far as a deployment reads it."""
    code = folder / "code"
    code.mkdir(parents=True)
    (code / "main.py").write_text(FUNCTION % word)
    (code / "tool").write_text("#!/bin/sh\n")
    (code / "tool").chmod(0o755)
    (folder / "App.template.json").write_text(json.dumps(template(word) | changed))
    destination = {"bucketName": BUCKET, "objectKey": f"{word}-{KEY}"}
    asset = {
        "source": {"path": "code", "packaging": "zip"},
        "destinations": {"here": destination},
    }
    file = {"path": "App.template.json", "packaging": "file"}
    destination = {"bucketName": BUCKET, "objectKey": f"{word}.json"}
    text = {"source": file, "destinations": {"here": destination}}
    (folder / "App.assets.json").write_text(json.dumps({"files": {"a": asset, "t": text}}))
    artifacts = {
        "App.assets": {"type": "cdk:asset-manifest", "properties": {"file": "App.assets.json"}},
        "App": {
            "type": "aws:cloudformation:stack",
            "properties": {
                "templateFile": "App.template.json",
                "stackTemplateAssetObjectUrl": f"s3://{BUCKET}/{word}.json",
            },
            "dependencies": ["App.assets"],
        },
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def said(cloud: Cloud, function: str) -> str:
    """What a function answers."""
    answer = cloud("lambda").invoke(FunctionName=function)["Payload"].read()
    return str(json.loads(answer)["said"])


def test_a_stack_is_created_and_updated(cloud: Cloud, tmp_path: Path) -> None:
    """Code, parameters and outputs arrive; the same again changes nothing."""
    first = assembly(tmp_path / "1", "one")
    outputs = deploy(first, "App", cloud.url, {"Word": "first"})
    assert (outputs["Word"], said(cloud, outputs["Name"])) == ("first", "one")
    assert deploy(first, "App", cloud.url, {"Word": "first"}) == outputs
    updated = deploy(assembly(tmp_path / "2", "two"), "App", cloud.url, {})
    assert (updated["Word"], said(cloud, updated["Name"])) == ("first", "two")


def test_a_stack_that_fails_says_why(cloud: Cloud, tmp_path: Path) -> None:
    """The error names the resource and the reason."""
    broken = {"Function": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Ref": "No"}}}}
    with pytest.raises(DeployError):
        deploy(assembly(tmp_path, "three", Resources=broken), "App", cloud.url, {})


def test_what_is_not_there_is_named(cloud: Cloud, tmp_path: Path) -> None:
    """An unknown stack or parameter is refused before anything is uploaded."""
    folder = assembly(tmp_path, "four")
    with pytest.raises(DeployError, match="no stack Other"):
        deploy(folder, "Other", cloud.url, {})
    with pytest.raises(DeployError, match="no parameters Typo"):
        deploy(folder, "App", cloud.url, {"Typo": "x"})


def test_a_zip_is_the_same_for_the_same_folder(tmp_path: Path) -> None:
    """Equal trees make equal bytes, and run bits are kept."""
    one, two = assembly(tmp_path / "1", "x") / "code", assembly(tmp_path / "2", "x") / "code"
    assert packed(one) == packed(two)
    modes = {
        info.filename: info.external_attr >> 16 & 0o777
        for info in zipfile.ZipFile(BytesIO(packed(one))).infolist()
    }
    assert modes == {"main.py": 0o644, "tool": 0o755}
