"""AWS Secrets Manager: secret and its value."""

# ruff: noqa: ARG002  (every type has the signatures of Resource)

from __future__ import annotations

from typing import ClassVar

from .difference import Inputs
from .resource import Resource, State, aws, dropped, pick, tag_list, tag_map


class Secret(Resource):
    """aws:secretsmanager/secret:Secret. ForceNew in secretsmanager/secret.go: name, name_prefix."""

    name_limit = 512
    replaces: ClassVar = frozenset({"name", "namePrefix"})
    defaults: ClassVar = {"forceOverwriteReplicaSecret": False, "recoveryWindowInDays": 30}

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Create it without a value; its id is its ARN."""
        secret = aws("secretsmanager").create_secret(
            Name=inputs["name"],
            Tags=tag_list(inputs.get("tags"), "Key", "Value"),
            **pick(inputs, Description="description", KmsKeyId="kmsKeyId"),
        )
        return secret["ARN"], {"arn": secret["ARN"]}

    def read(self, identity: str, state: State) -> State | None:
        """One that is marked for deletion is gone."""
        secret = aws("secretsmanager").describe_secret(SecretId=identity)
        if secret.get("DeletedDate"):
            return None
        return {
            "arn": secret["ARN"],
            **pick(secret, name="Name", description="Description", kmsKeyId="KmsKeyId"),
            "tags": tag_map(secret.get("Tags", []), "Key", "Value"),
        }

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Description, key and tags change in place."""
        if changed & {"description", "kmsKeyId"}:
            aws("secretsmanager").update_secret(
                SecretId=identity,
                Description=inputs.get("description") or "",
                **pick(inputs, KmsKeyId="kmsKeyId"),
            )
        if gone := dropped(inputs, old):
            aws("secretsmanager").untag_resource(SecretId=identity, TagKeys=gone)
        if "tags" in changed and inputs.get("tags"):
            aws("secretsmanager").tag_resource(
                SecretId=identity, Tags=tag_list(inputs["tags"], "Key", "Value")
            )

    def delete(self, identity: str, state: State) -> None:
        """At once if the window is 0, else after it; until then the name stays taken."""
        days = state.get("recoveryWindowInDays")
        when = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        aws("secretsmanager").delete_secret(SecretId=identity, **when)


class SecretVersion(Resource):
    """aws:secretsmanager/secretVersion:SecretVersion. Its inputs are ForceNew: a value is one."""

    auto_name = None
    required: ClassVar = ("secretId",)
    replaces: ClassVar = frozenset({"secretId", "secretString", "secretBinary"})
    computed: ClassVar = ("arn", "versionId", "versionStages")

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Put the value; its id is `secret|version`."""
        version = aws("secretsmanager").put_secret_value(
            **pick(inputs, SecretId="secretId", SecretString="secretString")
        )
        return f"{inputs['secretId']}|{version['VersionId']}", {
            "arn": version["ARN"],
            "versionId": version["VersionId"],
            "versionStages": version["VersionStages"],
        }

    def read(self, identity: str, state: State) -> State | None:
        """ResourceNotFoundException says that secret or version is gone."""
        secret, version = identity.split("|", 1)
        found = aws("secretsmanager").get_secret_value(SecretId=secret, VersionId=version)
        return {
            "arn": found["ARN"],
            "secretId": secret,
            "versionId": version,
            "versionStages": found["VersionStages"],
            **pick(found, secretString="SecretString"),
        }

    def delete(self, identity: str, state: State) -> None:
        """The current version cannot be taken away: it goes with its secret."""
