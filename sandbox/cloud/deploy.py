"""Deploy a synthesised CDK app with boto3: what `cdk deploy` does, in a blink.

CloudFormation does the work; this uploads the assets first and waits for the stack.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import boto3

REGION, ACCOUNT = "us-east-1", "000000000000"
_BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"  # CDK's templates check this parameter
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold: equal trees make equal bytes
_WAIT = {"Delay": 0.2, "MaxAttempts": 1500}  # five minutes


class DeployError(RuntimeError):
    """The stack did not reach the wanted state; the message says which resource and why."""


def deploy(
    assembly: Path, stack: str, endpoint: str, parameters: Mapping[str, str]
) -> dict[str, str]:
    """Create or update `stack` from a cloud assembly (`cdk.out`); its outputs."""
    template, url, assets = _parts(assembly, stack)
    _upload(assembly, assets, endpoint)
    client("ssm", endpoint).put_parameter(
        Name=_BOOTSTRAP_VERSION, Value="30", Type="String", Overwrite=True
    )
    cloudformation = client("cloudformation", endpoint)
    text = template.read_text()
    declared = json.loads(text).get("Parameters", {})
    if unknown := sorted(set(parameters) - set(declared)):
        raise DeployError(f"{template.name} has no parameters {', '.join(unknown)}")
    request: dict[str, Any] = {
        "StackName": stack,
        # A template over 51,200 bytes cannot travel in the request; CDK makes an asset of each.
        "TemplateURL": f"{endpoint}/{url}",
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    known = _known_parameters(cloudformation, stack)
    if known is None:
        cloudformation.create_stack(**request)
        _settle(cloudformation, stack, "stack_create_complete")
    else:
        request["Parameters"] += [
            {"ParameterKey": key, "UsePreviousValue": True}
            for key in declared
            if key in known and key not in parameters
        ]
        if _update(cloudformation, request):
            _settle(cloudformation, stack, "stack_update_complete")
    return outputs(stack, endpoint)


def outputs(stack: str, endpoint: str) -> dict[str, str]:
    """What a deployed stack says about itself."""
    described = client("cloudformation", endpoint).describe_stacks(StackName=stack)["Stacks"][0]
    return {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", ())}


def client(service: str, endpoint: str) -> Any:
    """A boto3 client of the local AWS."""
    return boto3.client(
        cast("Any", service),
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def packed(folder: Path) -> bytes:
    """A zip of a folder: executable bits kept, the same bytes for the same content."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            info.external_attr = (0o100000 | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(info, path.read_bytes(), compresslevel=1)
    return archive.getvalue()


def _parts(assembly: Path, stack: str) -> tuple[Path, str, list[dict[str, Any]]]:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    for name, artifact in artifacts.items():
        properties = artifact.get("properties", {})
        if artifact["type"] != "aws:cloudformation:stack":
            continue
        if stack in (name, properties.get("stackName")):
            template = assembly / properties["templateFile"]
            manifests = [
                artifacts[needed]["properties"]["file"]
                for needed in artifact.get("dependencies", ())
                if artifacts[needed]["type"] == "cdk:asset-manifest"
            ]
            files = [json.loads((assembly / m).read_text())["files"] for m in manifests]
            url = _here(properties["stackTemplateAssetObjectUrl"]).removeprefix("s3://")
            return template, url, [asset for group in files for asset in group.values()]
    raise DeployError(f"{assembly} holds no stack {stack}: synthesise it first")


def _upload(assembly: Path, assets: list[dict[str, Any]], endpoint: str) -> None:
    s3 = client("s3", endpoint)
    for asset in assets:
        source, data = asset["source"], None
        path = assembly / source["path"]
        for destination in asset["destinations"].values():
            bucket, key = (_here(destination[part]) for part in ("bucketName", "objectKey"))
            with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
                s3.create_bucket(Bucket=bucket)
            if not _present(s3, bucket, key):  # asset keys are hashes of their content
                if data is None:
                    data = packed(path) if source["packaging"] == "zip" else path.read_bytes()
                s3.put_object(Bucket=bucket, Key=key, Body=data)


def _present(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except s3.exceptions.ClientError:
        return False
    return True


def _here(text: str) -> str:
    for name, value in (("AccountId", ACCOUNT), ("Region", REGION), ("Partition", "aws")):
        text = text.replace("${AWS::" + name + "}", value)
    return text


def _known_parameters(cloudformation: Any, stack: str) -> set[str] | None:
    try:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except cloudformation.exceptions.ClientError:
        return None
    if described["StackStatus"] in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS"):
        return None
    return {p["ParameterKey"] for p in described.get("Parameters", ())}


def _update(cloudformation: Any, request: dict[str, Any]) -> bool:
    try:
        cloudformation.update_stack(**request)
    except cloudformation.exceptions.ClientError as error:
        # CloudFormation's answer to a template that changes nothing is an error.
        if "No updates are to be performed" not in str(error):
            raise
        return False
    return True


def _settle(cloudformation: Any, stack: str, waiter: str) -> None:
    try:
        cloudformation.get_waiter(waiter).wait(StackName=stack, WaiterConfig=_WAIT)
    except Exception as error:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [
            f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', 'no reason')}"
            for e in events
            if e["ResourceStatus"].endswith("FAILED")
        ]
        raise DeployError(f"{stack} was not deployed. {'; '.join(failed)}") from error
