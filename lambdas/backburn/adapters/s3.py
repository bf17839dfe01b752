"""The artifacts bucket on S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from .aws import code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
# 409 is what S3 answers when two conditional writes of one key meet.
MOVED_ON = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", *ABSENT})


class S3Artifacts:
    """Artifacts; the role needs s3:ListBucket, or S3 answers 403 for what is absent."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, key: str) -> bytes:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if code(error) in ABSENT:
                raise KeyError(f"s3://{self._bucket}/{key}") from error
            raise

    def write(self, key: str, data: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data)

    def version(self, key: str) -> str | None:
        try:
            return self._client.head_object(Bucket=self._bucket, Key=key)["ETag"]
        except ClientError as error:
            if code(error) in ABSENT:
                return None
            raise

    def replace(self, key: str, data: bytes, version: str) -> bool:
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, IfMatch=version)
        except ClientError as error:
            if code(error) in MOVED_ON:
                return False
            raise
        return True
