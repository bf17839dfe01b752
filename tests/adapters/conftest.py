from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS account in memory; what it does not know must not reach a network."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def table(client: Any, name: str) -> str:
    """A table as stacks/storage.py makes it."""
    text = [{"AttributeName": a, "AttributeType": "S"} for a in ("pk", "sweep", "since")]
    client.create_table(
        TableName=name,
        AttributeDefinitions=text,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": "sweep",
                "KeySchema": [
                    {"AttributeName": "sweep", "KeyType": "HASH"},
                    {"AttributeName": "since", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return name


@pytest.fixture
def incidents_table(aws: None) -> tuple[Any, str]:
    """A DynamoDB client and an empty table of incidents."""
    client = boto3.client("dynamodb")
    return client, table(client, "incidents")


@pytest.fixture
def approvals_table(aws: None) -> tuple[Any, str]:
    """A DynamoDB client and an empty table of approvals."""
    client = boto3.client("dynamodb")
    return client, table(client, "approvals")
