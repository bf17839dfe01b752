"""The Bedrock stand-in, as boto3 and the account's owner see it."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.bedrock.embedding import embed
from sandbox.bedrock.model import converse, latency_ms, tokens
from sandbox.bedrock.quota import Gate, Quota
from sandbox.bedrock.server import application
from tests.fakes.asgi_server import serving

SONNET = "anthropic.claude-3-5-sonnet-20240620-v1:0"
HAIKU = "anthropic.claude-3-5-haiku-20241022-v1:0"
OPUS = "anthropic.claude-3-opus-20240229-v1:0"
TITAN = "amazon.titan-embed-text-v1"
QUESTION = "Passages:\nA burn rate says how fast the budget goes. It is a ratio.\n\nQuestion: What?"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A stand-in of our own."""
    with serving(application()) as address:
        yield address


@pytest.fixture
def account(url: str) -> Iterator[httpx.Client]:
    """The knobs; without limits again afterwards."""
    with httpx.Client(base_url=url) as client:
        yield client
        client.post("/_sandbox/quota", json={}).raise_for_status()


@pytest.fixture(scope="module")
def bedrock(url: str) -> Any:
    """The client nobody here wrote, with no retries in the way."""
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )


def ask(bedrock: Any, **configuration: Any) -> Any:
    """One Converse call."""
    return bedrock.converse(
        modelId=SONNET,
        system=[{"text": "Be brief."}],
        messages=[{"role": "user", "content": [{"text": QUESTION}]}],
        inferenceConfig=configuration,
    )


def test_converse_answers_in_its_wire_shape(bedrock: Any) -> None:
    """Message, stop reason, usage and metrics, as boto3 parses them."""
    told = ask(bedrock)
    assert told["output"]["message"]["role"] == "assistant"
    assert told["output"]["message"]["content"][0]["text"]
    assert told["stopReason"] == "end_turn"
    usage = told["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert told["metrics"]["latencyMs"] > 0
    assert told["ResponseMetadata"]["RequestId"]


def test_the_same_question_gets_the_same_answer(bedrock: Any) -> None:
    """Nothing depends on chance."""
    assert ask(bedrock)["output"] == ask(bedrock)["output"]


def test_max_tokens_cut_the_answer_off(bedrock: Any) -> None:
    """A limit below the wanted length is honoured and named."""
    told = ask(bedrock, maxTokens=20)
    assert (told["stopReason"], told["usage"]["outputTokens"]) == ("max_tokens", 20)
    assert tokens(told["output"]["message"]["content"][0]["text"]) <= 20


def test_titan_embeds_by_invoke_model(bedrock: Any) -> None:
    """1536 floats and the tokens of the text."""
    told = bedrock.invoke_model(modelId=TITAN, body=json.dumps({"inputText": "error budget"}))
    body = json.loads(told["body"].read())
    assert len(body["embedding"]) == 1536
    assert body["inputTextTokenCount"] == 3


def test_another_models_invoke_is_refused(bedrock: Any) -> None:
    """Chat models are asked by Converse."""
    with pytest.raises(bedrock.exceptions.ValidationException):
        bedrock.invoke_model(modelId=SONNET, body="{}")


@pytest.mark.parametrize("body", ["not json", "{}", '{"messages": [{}]}'])
def test_a_malformed_request_is_a_validation_error(url: str, body: str) -> None:
    """AWS's error type is in the header."""
    answer = httpx.post(f"{url}/model/{SONNET}/converse", content=body)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "ValidationException")


def test_throttling_is_the_exception_boto3_knows(bedrock: Any, account: httpx.Client) -> None:
    """A 429 with AWS's code and message."""
    account.post("/_sandbox/quota", json={"throttle_share": 1})
    with pytest.raises(bedrock.exceptions.ThrottlingException) as refused:
        ask(bedrock)
    error: ClientError = refused.value
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert "Too many requests" in error.response["Error"]["Message"]


def test_quotas_of_chat_models_leave_embeddings_alone(bedrock: Any, account: httpx.Client) -> None:
    """Bedrock's quotas are per model."""
    account.post("/_sandbox/quota", json={"throttle_share": 1, "concurrent": 0})
    bedrock.invoke_model(modelId=TITAN, body=json.dumps({"inputText": "still there"}))


def test_calls_beyond_the_concurrent_quota_are_refused(account: httpx.Client) -> None:
    """Of four at once two are served when two are allowed."""
    account.post("/_sandbox/quota", json={"concurrent": 2, "latency_factor": 3})
    body = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}

    async def together() -> list[int]:
        async with httpx.AsyncClient(base_url=account.base_url, timeout=30) as client:
            calls = [client.post(f"/model/{SONNET}/converse", json=body) for _ in range(4)]
            return sorted(answer.status_code for answer in await asyncio.gather(*calls))

    assert asyncio.run(together()) == [200, 200, 429, 429]


def test_the_quota_tells_what_came_of_it(account: httpx.Client) -> None:
    """Served, refused and in flight can be read."""
    told = account.get("/_sandbox/quota").json()
    assert {"quota", "in_flight", "most_in_flight", "served", "refused"} == set(told)
    assert told["in_flight"] == 0


def test_a_misspelt_knob_is_refused(account: httpx.Client) -> None:
    """A fault that was not set must not pass for one that was."""
    answer = account.post("/_sandbox/quota", json={"concurent": 2})
    assert answer.status_code == 400
    assert "concurent" in answer.json()["error"]


# ---------------------------------------------------------------- the rate, on a clock of our own


def let_in(gate: Gate, moments: list[float]) -> int:
    """How many calls at these moments were let in."""
    return sum(gate.enter(moment, 0.5) for moment in moments)


def test_a_rate_within_the_quota_passes() -> None:
    """Two a second for ten seconds, three allowed."""
    gate = Gate()
    gate.quota = Quota(per_second=3)
    assert let_in(gate, [turn / 2 for turn in range(20)]) == 20


def test_refused_calls_count_so_that_a_rate_above_the_quota_shuts_out() -> None:
    """Four a second, three allowed: after the window has filled up nothing passes any more."""
    gate = Gate()
    gate.quota = Quota(per_second=3)
    assert let_in(gate, [turn / 4 for turn in range(40)]) == 15
    assert let_in(gate, [10 + turn / 4 for turn in range(40)]) == 0


def test_who_backs_off_is_let_in_again() -> None:
    """Once the window is empty the quota is whole."""
    gate = Gate()
    gate.quota = Quota(per_second=1)
    assert let_in(gate, [0.0] * 9) == 5
    assert let_in(gate, [6.0] * 9) == 5


# ---------------------------------------------------------------- models and embeddings


def test_larger_models_and_more_tokens_take_longer() -> None:
    """Opus is slower than Sonnet, Sonnet than Haiku; every token costs."""
    opus, sonnet, haiku = (latency_ms(model, 500, 150, 0) for model in (OPUS, SONNET, HAIKU))
    assert opus > sonnet > haiku
    assert latency_ms(SONNET, 1500, 150, 0) > sonnet
    assert latency_ms(SONNET, 500, 300, 0) > sonnet


def test_an_answer_of_the_default_model_takes_a_fifth_of_a_second() -> None:
    """Between 120 and 280 ms for the usual prompt, whatever the seed."""
    for seed in range(0, 2**20, 997):
        assert 120 < latency_ms(SONNET, 400, 110 + seed % 100, seed) < 280


def test_the_answer_is_made_of_the_prompt() -> None:
    """Sentences of the passages, not of nowhere."""
    request = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}
    assert "A burn rate says how fast the budget goes." in converse(SONNET, request).text


def test_texts_that_share_words_are_close() -> None:
    """Cosine by shared words, and one for the same text."""

    def likeness(one: str, other: str) -> float:
        return sum(a * b for a, b in zip(embed(one), embed(other), strict=True))

    near = likeness("throttled by the model provider", "the provider throttles the model")
    far = likeness("throttled by the model provider", "drain tasks slowly")
    assert near > 0.6
    assert far < 0.2
    assert likeness("same", "same") == pytest.approx(1, abs=1e-3)
    assert math.hypot(*embed("")) == 0
