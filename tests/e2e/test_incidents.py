"""Whole incidents through the deployed stacks. Times are printed, not asserted."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from backburn import wiring
from backburn.incident import Incident, artifact_key, execution_name
from sandbox import approver
from sandbox.play import Play
from sandbox.scenarios import SCENARIOS
from sandbox.story import Story
from sandbox.world import CLUSTER, SERVICE, World

pytestmark = pytest.mark.e2e

OURS = 32 * 1024  # bytes of a state's input or output that a person still reads


class Attacked(Play):
    """A played incident whose approval mails are answered by what the test says, one each."""

    answers: list[Callable[[approver.Letter], None]]

    def asked(self, letter: approver.Letter) -> None:
        """Answer the next mail."""
        self.story.say("mail", letter.subject)
        self.answers.pop(0)(letter)


def test_a_throttling_provider_is_not_ours_and_nothing_is_proposed(
    world: World, story: Story
) -> None:
    """The scenario `throttled`: closed with the evidence, no proposal, no mail with a link."""
    with Play(world, story, SCENARIOS["throttled"], clicks=True) as play:
        assert play.to_its_end() == []


def test_a_starved_task_is_enlarged_only_by_what_was_approved_and_recovers(
    world: World, story: Story
) -> None:
    """The scenario `cpu`, attacked twice before its approver approves.

    A forged task success (law 5) and a proposal tampered with after its approval (law 2) apply
    nothing; the third attempt is approved and recovers, and its link is of no use twice.
    """
    with Attacked(world, story, SCENARIOS["cpu"], clicks=True) as play:
        letters: list[approver.Letter] = []

        def forged(letter: approver.Letter) -> None:
            peeked(letter)
            world.client("stepfunctions").send_task_success(
                taskToken=_task_token(world), output=json.dumps({"decision": "approve"})
            )

        def tampered(letter: approver.Letter) -> None:
            assert approver.decide(letter, "approve").is_success
            _tamper(world)

        def approved(letter: approver.Letter) -> None:
            letters.append(letter)
            assert approver.decide(letter, "approve").is_success

        play.answers = [forged, tampered, approved]
        healthy = play.baseline()
        incident = play.burn()
        assert incident, "the burn fired no alert"

        for attack in ("forged", "tampered"):
            record = play.followed(incident)
            assert (record.status, play.outcome(record)) == ("closed", "Refused"), attack
            assert _revision(world) == "1", attack
            _retry(world, record)

        burning = play.load.figures(15)
        record = play.followed(incident)
        after = play.load.figures(15)
        play.narrator.sum_up(record, play.execution(record), (healthy, burning, after), play.times)

        assert play.problems(record, burning, after) == []
        assert _revision(world) == "2"
        assert _size(world) == ("1024", "2048")
        again = approver.request("GET", letters[0].link)
        assert "Your decision" not in again.text
        assert approver.decide(letters[0], "reject", reason="changed my mind").status_code in {
            409,
            410,
        }
        assert _revision(world) == "2"
        for passed in play.execution(record).passed():
            for side in (passed.given, passed.said):
                assert len(json.dumps(side)) <= OURS, passed.state


def peeked(letter: approver.Letter) -> None:
    """Opening, prefetching and guessing decide nothing."""
    assert approver.request("HEAD", letter.link).status_code == 405
    for _ in range(2):
        assert "Your decision" in approver.request("GET", letter.link).text
    wrong = "000000" if letter.code != "000000" else "111111"
    assert approver.decide(letter, "approve", code=wrong).status_code == 403


def _task_token(world: World) -> str:
    """What somebody who may read the approvals table finds there."""
    record = wiring.incidents().recent(1)[0]
    item = world.client("dynamodb").get_item(
        TableName=world.outputs["ApprovalsTable"],
        Key={"pk": {"S": f"request#{execution_name(record.id, record.attempt)}"}},
    )["Item"]
    return str(json.loads(item["request"]["S"])["token"])


def _tamper(world: World) -> None:
    """Whoever can write the bucket asks for more than was approved."""
    record = wiring.incidents().recent(1)[0]
    key = artifact_key(record.id, record.attempt, "proposal")
    document = wiring.artifacts().read(key)
    assert b'"1024"' in document
    wiring.artifacts().write(key, document.replace(b'"1024"', b'"2048"'))


def _retry(world: World, record: Incident) -> None:
    command = [sys.executable, "-m", "backburn", "retry", record.id]
    done = subprocess.run(
        command, env=world.product_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _revision(world: World) -> str:
    return _service(world)["taskDefinition"].rsplit(":", 1)[1]


def _size(world: World) -> tuple[str, str]:
    arn = _service(world)["taskDefinition"]
    found = world.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return found["cpu"], found["memory"]


def _service(world: World) -> dict[str, str]:
    described = world.client("ecs").describe_services(cluster=CLUSTER, services=[SERVICE])
    return dict(described["services"][0])
