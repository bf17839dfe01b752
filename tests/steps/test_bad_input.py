"""Bad input ends an incident closed or parked, with a sentence that a person can act on.

Each line runs the step on the bad input and hands what it says to the state or the event that
ends the incident: an answer closes it, a fault parks it. `tests/workflow` plays the way between.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import httpx
import pytest

from backburn import bundle
from backburn.adapters.honeycomb_api import HoneycombApi
from backburn.errors import Broken, Fault, HoneycombRateLimited, HoneycombUnreachable, Locked
from backburn.events.park_incident import park_incident
from backburn.exports import answer, lines
from backburn.incident import Status
from backburn.ports import Failure
from backburn.steps.close_incident import close_incident
from backburn.steps.confirm_burn import confirm_burn
from backburn.steps.query_traces import Measuring
from backburn.steps.verify import verify
from tests.fakes import proposals
from tests.fakes.mailer import FakeMailer
from tests.fakes.metrics import FakeMetrics
from tests.fakes.patient import CHAT_LATENCY, chatbot
from tests.fakes.program import CONFIG, MAIN, shop
from tests.fakes.shop import APPROVER, BUNDLE, NOW, Shop
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.workflow import FakeWorkflow

CASE = {"incident": "shop-1", "attempt": 1, "workload": "shop", "slo": "fast"}
ARN = "arn:aws:states:us-east-1:000000000000:execution:remediation:shop-1"


def closed(world: Shop, built: Mapping[str, str]) -> tuple[Status, str]:
    """Where the incident stands, and the approver's mail, after a build's answer closed it."""
    assert lines(built).count("\n") == len(built)
    mailer = FakeMailer()
    event = CASE | {"outcome": "Refused", "reason": built["REASON"]}
    telemetry = FakeTelemetry(CHAT_LATENCY, "true")
    close_incident(
        event, world.workload, world.incidents, world.artifacts, telemetry, mailer, world.now
    )
    (letter,) = (mail for mail in mailer.sent if mail.to == APPROVER)
    return world.incidents.get("shop-1").status, letter.text


def parked(world: Shop, failure: Failure) -> tuple[Status, str]:
    """Where the incident stands, and the operators' mail, after its execution failed."""
    workflow, mailer = FakeWorkflow(), FakeMailer()
    workflow.failures["shop-1"] = failure
    detail = {"name": "shop-1", "executionArn": ARN, "status": "FAILED", "input": json.dumps(CASE)}
    park_incident(detail, world.incidents, world.artifacts, workflow, mailer, world.now)
    (letter,) = mailer.told_operators()
    return world.incidents.get("shop-1").status, letter.text


def _breaks(world: Shop) -> None:
    text = f'{MAIN}\nraise ValueError("no such region")\n'
    world.artifacts.write(BUNDLE, bundle.pack(shop(**{"__main__.py": text})))


def _has_no_stack(world: Shop) -> None:
    def export(_files: object) -> Mapping[str, object]:
        raise Broken("the stack does not exist (no stack named 'dev' found): create it")

    world.engine.export = export  # type: ignore[method-assign]


def _is_not_deployed(world: Shop) -> None:
    text = CONFIG.replace("desired: 2", "desired: 3")
    world.artifacts.write(BUNDLE, bundle.pack(shop(**{"Pulumi.dev.yaml": text})))


@pytest.mark.parametrize(
    ("bad", "outcome", "said"),
    [
        (_breaks, "broken", 'The program does not run: ValueError("no such region")'),
        (_has_no_stack, "broken", "The stack does not exist"),
        (_is_not_deployed, "drifted", "desiredCount 2 -> 3: deploy or revert that first"),
    ],
)
def test_a_program_or_stack_that_is_not_right_closes_before_anybody_is_asked(
    bad: Callable[[Shop], None], outcome: str, said: str
) -> None:
    """With its own words, and that nothing was changed."""
    world = Shop()
    world.propose()
    bad(world)
    built = answer(world.preview, ("broken",))
    assert built["OUTCOME"] == outcome
    status, letter = closed(world, built)
    assert status is Status.CLOSED
    assert said in letter
    assert "Nothing was changed." in letter


def test_a_program_that_broke_after_the_approval_is_not_applied() -> None:
    """Whichever way: the deploy build says so too."""
    world = Shop().approved()
    _breaks(world)
    built = answer(world.apply, ("locked", "half_applied"))
    assert built["OUTCOME"] in {"refused", "drifted"}
    assert "up" not in world.engine.calls
    assert closed(world, built)[0] is Status.CLOSED


def test_a_locked_state_closes_with_whoever_holds_it() -> None:
    """The lock stays; the program and the stack are as they were."""
    world = Shop().approved()

    def up(*_arguments: object) -> object:
        raise Locked(
            "the stack is locked by ada on laptop (process 7): wait for it to end, then retry",
            (("laptop", 7),),
        )

    world.engine.up = up  # type: ignore[assignment, method-assign]
    built = answer(world.apply, ("locked", "half_applied"))
    assert built["OUTCOME"] == "locked"
    assert "unlock" not in world.engine.calls
    assert world.files == shop()
    status, letter = closed(world, built)
    assert status is Status.CLOSED
    assert "locked by ada on laptop (process 7): wait for it to end, then retry" in letter
    assert "Nothing was changed." in letter


def honeycomb(says: httpx.Response | Exception) -> HoneycombApi:
    """The real adapter, and a Honeycomb that says the same to everything."""

    def app(_request: httpx.Request) -> httpx.Response:
        if isinstance(says, Exception):
            raise says
        return says

    client = httpx.Client(transport=httpx.MockTransport(app), base_url="https://api.test")
    return HoneycombApi(client, "key", sleep=lambda _: None)


def _query_traces(api: HoneycombApi) -> object:
    evidence = proposals.evidence()
    measuring = Measuring(chatbot(), "chat-latency", api, FakeMetrics())
    return measuring.evidence(evidence.burn.window, evidence.baseline.window)


def _confirm_burn(api: HoneycombApi) -> object:
    return confirm_burn(chatbot(), "chat-latency", api, NOW)


def _verify(api: HoneycombApi) -> object:
    return verify(chatbot(), proposals.evidence(), 1, NOW, api, NOW)


@pytest.mark.parametrize("measure", [_query_traces, _confirm_burn, _verify])
@pytest.mark.parametrize(
    ("says", "fault", "said"),
    [
        (
            httpx.ConnectError("connection refused"),
            HoneycombUnreachable,
            "Honeycomb cannot be reached for GET /1/slos/",
        ),
        (httpx.Response(502, text="bad gateway"), HoneycombUnreachable, "Honeycomb answered 502"),
        (
            httpx.Response(429, json={"error": "request rate limit exceeded"}),
            HoneycombRateLimited,
            "request rate limit exceeded",
        ),
    ],
)
def test_a_honeycomb_that_does_not_answer_parks(
    measure: Callable[[HoneycombApi], object],
    says: httpx.Response | Exception,
    fault: type[Fault],
    said: str,
) -> None:
    """After the flow's retries: the operators hear why, what was applied, and both ways on."""
    with pytest.raises(fault) as failed:
        measure(honeycomb(says))
    cause = json.dumps({"errorType": fault.__name__, "errorMessage": str(failed.value)})
    status, letter = parked(Shop(), Failure(state="Verify", error=fault.__name__, cause=cause))
    assert status is Status.PARKED
    assert said in letter
    assert "Nothing was applied" in letter
    assert "python -m backburn retry shop-1" in letter


@pytest.mark.parametrize(
    ("error", "cause", "said"),
    [
        (
            "CodeBuild.AccountLimitExceededException",
            "Cannot have more than 1 builds in queue for the account",
            "AccountLimitExceededException: Cannot have more than 1 builds in queue",
        ),
        (
            "States.TaskFailed",
            json.dumps(
                {
                    "Build": {
                        "Id": "deploy:1",
                        "BuildStatus": "FAILED",
                        "Phases": [
                            {
                                "PhaseType": "PROVISIONING",
                                "PhaseStatus": "FAILED",
                                "Contexts": [{"Message": "Unable to pull container image"}],
                            }
                        ],
                    }
                }
            ),
            "deploy:1 is FAILED at PROVISIONING (Unable to pull container image)",
        ),
    ],
)
def test_a_build_that_cannot_start_parks(error: str, cause: str, said: str) -> None:
    """It never wrote anything, so its own words are all there is."""
    failure = Failure(state="ApplyPatch", error=error, cause=cause)
    status, letter = parked(Shop().approved(), failure)
    assert status is Status.PARKED
    assert said in letter
    assert "ended failed at ApplyPatch" in letter
    assert "Nothing was applied" in letter
