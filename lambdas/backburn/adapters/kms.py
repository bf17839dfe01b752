"""The HMAC key of decisions in KMS: its bytes never leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from .aws import code

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsMacKey:
    """A MAC key; who may generate and who may only verify is the roles' matter."""

    def __init__(self, client: KMSClient, key: str) -> None:
        self._client = client
        self._key = key

    def generate(self, message: bytes) -> bytes:
        return self._client.generate_mac(
            KeyId=self._key, Message=message, MacAlgorithm="HMAC_SHA_256"
        )["Mac"]

    def verify(self, message: bytes, mac: bytes) -> bool:
        if not mac:  # the API takes no empty MAC
            return False
        try:
            answer = self._client.verify_mac(
                KeyId=self._key, Message=message, Mac=mac, MacAlgorithm="HMAC_SHA_256"
            )
        except ClientError as error:
            if code(error) == "KMSInvalidMacException":
                return False
            raise
        return answer["MacValid"]
