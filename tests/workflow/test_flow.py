"""Every way an incident can go, played through the real definition."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workflow.theatre import PLAN, Theatre

WHO = {"attempt": 1, "workload": "chatbot", "slo": "chat-latency"}
SETTLED = "2026-11-24T00:00:00+00:00"
TO_APPROVAL = [
    "QueryTraces",
    "Diagnose",
    "ProposePatch",
    "PreviewPatch",
    "PreviewAnswered",
    "RequestApproval",
]
TO_VERDICT = [
    *TO_APPROVAL,
    "ConfirmBurn",
    "ApplyPatch",
    "ApplyAnswered",
    "AwaitRollout",
    "RolloutSettled",
    "Soak",
    "Verify",
    "VerdictReached",
]
UNDONE = ["RollBack", "RollbackAnswered", "AwaitRollout", "RolloutSettled"]


def looked(verdict: str, look: int = 1, left: int = 0, reason: str = "measured") -> dict[str, Any]:
    """What Verify returns."""
    return {"verdict": verdict, "look": look, "looks_left": left, "reason": reason}


def rollout(word: str) -> dict[str, Any]:
    """What AwaitRollout returns."""
    return {"rollout": word, "settled_at": SETTLED, "reason": f"it is {word}"}


def test_an_approved_change_that_helps_is_kept(theatre: Theatre) -> None:
    """The whole way, once."""
    run = theatre.play()
    assert run.status == "SUCCEEDED"
    assert run.states == [*TO_VERDICT, "CloseIncident"]
    assert run.closed == {
        "outcome": "Recovered",
        "reason": "within the SLO",
        "verdict": looked("recovered", 1, 2, "within the SLO"),
    }


def test_each_state_is_given_what_it_needs_and_no_more(theatre: Theatre) -> None:
    """The input of a state is its interface."""
    run = theatre.play()
    (asked,) = run.calls("RequestApproval")
    assert len(asked.pop("token")) > 10
    who = {"incident": run.folder.name, **WHO}
    assert run.calls("QueryTraces") == [who]
    assert run.calls("Diagnose") == [{**who, "evidence": "e.json"}]
    assert run.calls("ProposePatch") == [{**who, "evidence": "e.json", "diagnosis": "d.json"}]
    assert asked == {**who, "preview": "preview.json"}
    assert run.calls("ConfirmBurn") == [{**who, "evidence": "e.json"}]
    assert run.calls("AwaitRollout") == [{**who, "update": "update.json", "change": "apply"}]
    assert run.calls("Verify") == [{**who, "look": 1, "settled_at": SETTLED, "change": "apply"}]
    build = {"incident": run.folder.name, "attempt": "1", "workload": "chatbot"}
    assert run.calls("preview_patch") == run.calls("apply_patch") == [build]


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ("Diagnose", "NotOurs"),
        ("Diagnose", "Inconclusive"),
        ("ProposePatch", "Abstained"),
        ("ProposePatch", "Braked"),
        ("ProposePatch", "StackBusy"),
        ("ProposePatch", "Observed"),
        ("RequestApproval", "Proposed"),
        ("RequestApproval", "Braked"),
        ("ConfirmBurn", "BurnEnded"),
        ("ConfirmBurn", "Braked"),
    ],
)
def test_an_answer_closes_the_incident_with_its_reason(
    theatre: Theatre, state: str, answer: str
) -> None:
    """Its class is the outcome, its message the reason, and nothing is applied."""
    says = 'It said "no":\n{and} why'
    decide: dict[str, str] | None = (
        {} if state == "RequestApproval" else None
    )  # whom nobody asked does not decide
    run = theatre.play({state: [{"raise": answer, "says": says}]}, decide=decide)
    assert run.status == "SUCCEEDED"
    assert run.states[-2:] == [state, "CloseIncident"]
    assert run.closed == {"outcome": answer, "reason": says}
    assert run.calls("apply_patch") == []


def test_a_rejection_closes_with_the_approvers_own_words(theatre: Theatre) -> None:
    """Whatever they look like: they are never parsed."""
    words = '{"errorMessage": too risky on a Friday}'
    run = theatre.play(decide={"error": "Rejected", "cause": words})
    assert run.states == [*TO_APPROVAL, "CloseIncident"]
    assert run.closed == {"outcome": "Rejected", "reason": words}


def test_an_answer_that_is_no_json_is_its_own_reason(theatre: Theatre) -> None:
    """A Lambda's cause is JSON unless it was cut off."""
    run = theatre.play(decide={"error": "Braked", "cause": "frozen over Christmas"})
    assert run.closed == {"outcome": "Braked", "reason": "frozen over Christmas"}


def test_silence_expires(theatre: Theatre) -> None:
    """Nobody decided: nothing is applied."""
    plan = {**PLAN, "approval_seconds": 1}
    evidence = [{"evidence": "e.json", "numbers": {}, "plan": plan}]
    run = theatre.play({"QueryTraces": evidence}, decide={})
    assert run.states == [*TO_APPROVAL, "CloseIncident"]
    assert run.closed["outcome"] == "Expired"
    assert run.closed["reason"].startswith("Nobody decided within")


@pytest.mark.parametrize("outcome", ["refused", "drifted", "broken"])
def test_a_preview_that_is_not_clean_asks_nobody(theatre: Theatre, outcome: str) -> None:
    """The gate's reason is the incident's."""
    run = theatre.play(built={"preview_patch": {"OUTCOME": outcome, "REASON": "two steps"}})
    assert run.states[-2:] == ["PreviewAnswered", "CloseIncident"]
    assert run.closed == {"outcome": "Refused", "reason": "two steps"}
    assert run.calls("RequestApproval") == []


@pytest.mark.parametrize("outcome", ["refused", "drifted", "locked"])
def test_an_apply_that_is_refused_changes_nothing(theatre: Theatre, outcome: str) -> None:
    """There is nothing to wait for, to judge or to roll back."""
    run = theatre.play(built={"apply_patch": {"OUTCOME": outcome, "REASON": "another digest"}})
    assert run.states[-2:] == ["ApplyAnswered", "CloseIncident"]
    assert run.closed == {"outcome": "Refused", "reason": "another digest"}


def test_a_half_applied_change_is_an_operators_turn(theatre: Theatre) -> None:
    """An outcome of its own: neither refused nor applied, and nothing is rolled back unasked."""
    half = {"OUTCOME": "half_applied", "REASON": "one of two"}
    run = theatre.play(built={"apply_patch": half})
    assert run.states[-2:] == ["ApplyAnswered", "CloseIncident"]
    assert run.closed == {"outcome": "HalfApplied", "reason": "one of two"}


def test_a_half_applied_rollback_is_an_operators_turn(theatre: Theatre) -> None:
    """There is no second one."""
    half = {"OUTCOME": "half_applied", "REASON": "one of two"}
    run = theatre.play({"Verify": [looked("worse")]}, built={"roll_back": half})
    assert run.states[-2:] == ["RollbackAnswered", "CloseIncident"]
    assert run.closed == {"outcome": "RollbackHalfApplied", "reason": "one of two"}


@pytest.mark.parametrize("verdict", ["worse", "unchanged"])
def test_a_change_that_does_not_help_is_rolled_back_once(theatre: Theatre, verdict: str) -> None:
    """Even if the verdict after the rollback is no better."""
    verdicts = [looked(verdict, reason="it got slower"), looked("worse", reason="still slow")]
    run = theatre.play({"Verify": verdicts})
    again = [*UNDONE, "Soak", "Verify", "VerdictReached", "CloseIncident"]
    assert run.states == [*TO_VERDICT, *again]
    assert run.closed == {
        "outcome": "RolledBack",
        "reason": "it got slower",
        "verdict": looked("worse", reason="still slow"),
    }
    assert run.calls("AwaitRollout")[1]["change"] == "rollback"
    assert run.calls("AwaitRollout")[1]["update"] == "rollback.json"
    assert [call["change"] for call in run.calls("Verify")] == ["apply", "rollback"]
    assert [call["look"] for call in run.calls("Verify")] == [1, 1]


def test_an_unknown_is_looked_at_again_until_it_is_known(theatre: Theatre) -> None:
    """With the number of the look, which decides how sure it must be."""
    run = theatre.play(
        {"Verify": [looked("unknown", 1, 2), looked("unknown", 2, 1), looked("recovered", 3)]}
    )
    assert [call["look"] for call in run.calls("Verify")] == [1, 2, 3]
    assert run.states.count("VerifyPause") == 2
    assert run.closed["outcome"] == "Recovered"


def test_an_unknown_at_the_last_look_keeps_the_change_and_says_so(theatre: Theatre) -> None:
    """Never `recovered` without proof, and no rollback without harm."""
    run = theatre.play({"Verify": [looked("unknown", 1, 1), looked("unknown", 2, 0)]})
    assert run.closed["outcome"] == "Unknown"
    assert "RollBack" not in run.states


def test_a_moving_rollout_is_waited_for(theatre: Theatre) -> None:
    """`pulumi up` returns minutes before the new tasks serve."""
    run = theatre.play({"AwaitRollout": [rollout("moving"), rollout("moving"), rollout("settled")]})
    assert run.states.count("RolloutPause") == 2
    assert run.closed["outcome"] == "Recovered"


@pytest.mark.parametrize("word", ["not_deployed", "stuck"])
def test_what_was_not_deployed_is_rolled_back_unjudged(theatre: Theatre, word: str) -> None:
    """A verdict on the old tasks would be about the wrong thing."""
    run = theatre.play({"AwaitRollout": [rollout(word), rollout("settled")]})
    first = TO_VERDICT[: TO_VERDICT.index("Soak")]
    assert run.states == [*first, *UNDONE, "Soak", "Verify", "VerdictReached", "CloseIncident"]
    assert run.closed["outcome"] == "RolledBack"
    assert run.closed["reason"] == f"it is {word}"


def test_a_rollback_that_does_not_deploy_is_an_operators_turn(theatre: Theatre) -> None:
    """There is no second one."""
    run = theatre.play({"AwaitRollout": [rollout("stuck"), rollout("not_deployed")]})
    assert run.closed == {"outcome": "RollbackNotDeployed", "reason": "it is not_deployed"}
    assert run.states.count("RollBack") == 1


@pytest.mark.parametrize("outcome", ["refused", "drifted", "locked"])
def test_a_rollback_that_is_refused_is_said_so(theatre: Theatre, outcome: str) -> None:
    """The change still stands."""
    undone = {"OUTCOME": outcome, "REASON": "the inverse is not the mirror"}
    run = theatre.play({"Verify": [looked("worse")]}, {"roll_back": undone})
    assert run.closed == {"outcome": "RollbackRefused", "reason": "the inverse is not the mirror"}


@pytest.mark.parametrize("state", ["QueryTraces", "Diagnose", "ConfirmBurn", "Verify"])
def test_a_fault_fails_at_its_state(theatre: Theatre, state: str) -> None:
    """Red and redrivable there; nothing is closed behind the operator's back."""
    run = theatre.play({state: [{"raise": "HoneycombDenied", "says": "the key is revoked"}]})
    assert (run.status, run.error) == ("FAILED", "HoneycombDenied")
    assert run.states[-1] == state
    assert run.calls("CloseIncident") == []


@pytest.mark.parametrize("step", ["preview_patch", "apply_patch"])
def test_a_build_that_breaks_fails_at_its_state(theatre: Theatre, step: str) -> None:
    """Non-zero is a fault, not an answer."""
    run = theatre.play(built={step: "exit 3\n"})
    assert (run.status, run.error) == ("FAILED", "States.TaskFailed")
    assert run.states[-1] in ("PreviewPatch", "ApplyPatch")


@pytest.mark.parametrize("exports", ["OUTCOME=\n", "OUTCOME='applied'\n"])
def test_a_build_without_a_known_answer_fails_at_its_state(theatre: Theatre, exports: str) -> None:
    """An outcome that nobody has thought of must not be taken for one that somebody has."""
    run = theatre.play(built={"preview_patch": exports})
    assert (run.status, run.error) == ("FAILED", "States.QueryEvaluationError")
    assert "ended without an answer" in run.cause
    assert run.states[-1] == "PreviewPatch"


def test_what_may_heal_by_itself_is_tried_again(theatre: Theatre) -> None:
    """Honeycomb was away for a moment."""
    away = {"raise": "HoneycombUnreachable", "says": "502"}
    run = theatre.play({"ConfirmBurn": [away, {"burning": True}]})
    assert len(run.calls("ConfirmBurn")) == 2
    assert run.closed["outcome"] == "Recovered"
