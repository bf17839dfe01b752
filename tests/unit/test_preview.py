"""The canonical form: what two runs of the engine can be compared by."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburn.canonical import digest
from backburn.errors import Refused
from backburn.preview import Plan, canonical_plan, mirror, name_of, short, type_of, words
from tests.fakes.engine import CLUSTER, PROVIDER, SERVICE, TASK, FakeEngine
from tests.fakes.program import MAIN, shop

PROVIDERS = {PROVIDER: "aws 7.51.1"}
FOLLOWS = (
    "update Service shop-service: taskDefinition a revision of shop -> (known after the apply)"
)
LARGER = MAIN.replace('"512"', '"1024"').replace('memory="1024"', 'memory="2048"')


def document() -> dict[str, Any]:
    """The preview of a larger task."""
    return copy.deepcopy(dict(FakeEngine(shop()).preview(shop(**{"__main__.py": LARGER}))))


def plan(told: dict[str, Any]) -> Plan:
    """Its canonical form."""
    return canonical_plan(told, PROVIDERS)


def step_of(told: dict[str, Any], urn: str) -> dict[str, Any]:
    """The step that is not a refresh."""
    found: dict[str, Any] = next(
        s for s in told["steps"] if s["urn"] == urn and s["op"] != "refresh"
    )
    return found


def test_it_says_what_changes_and_what_stays() -> None:
    """Two steps with their input paths; the rest by URN; refreshes are no steps."""
    found = plan(document())
    assert [s.urn for s in found.steps] == [SERVICE, TASK]
    assert [words(s) for s in found.steps] == [
        FOLLOWS,
        "replace TaskDefinition shop-task: cpu 512 -> 1024, memory 1024 -> 2048",
    ]
    assert len(found.same) == 2
    assert CLUSTER in found.same
    assert {s.provider for s in found.steps} == {"aws 7.51.1"}


def test_law_2_what_changes_beside_a_named_path_is_bound_too() -> None:
    """A provider that names `tags.a` and changes `tags.b` hides nothing."""

    def tagged(other: str) -> dict[str, Any]:
        told = document()
        step = step_of(told, TASK)
        step["detailedDiff"]["tags.a"] = {"kind": "update", "inputDiff": True}
        step["oldState"]["inputs"] |= {"tags": {"a": "1", "b": "1"}}
        step["newState"]["inputs"] |= {"tags": {"a": "2", "b": other}}
        return told

    paths = [p.path for p in plan(tagged("1")).steps[1].paths]
    assert paths == ["cpu", "memory", "tags.a"]
    assert "tags" in [p.path for p in plan(tagged("evil")).steps[1].paths]
    assert plan(tagged("evil")) != plan(tagged("other"))


@given(st.randoms(use_true_random=False))
def test_law_2_order_and_rendering_do_not_matter(shuffler: random.Random) -> None:
    """Positions, durations, diagnostics, ids and the order of steps and keys are not bound."""
    told = document()
    shuffler.shuffle(told["steps"])
    told["duration"] = shuffler.randrange(10**9)
    told["diagnostics"] = [{"severity": "warning", "message": str(shuffler.random())}]
    for step in told["steps"]:
        for state in ("oldState", "newState"):
            if state in step:
                step[state] |= {"id": str(shuffler.random()), "sourcePosition": "x#1"}
                step[state]["inputs"] = dict(reversed(step[state].get("inputs", {}).items()))
    assert plan(told) == plan(document())
    assert digest(plan(told).model_dump(mode="json")) == digest(
        plan(document()).model_dump(mode="json")
    )


def test_a_replacement_told_in_parts_is_one_step() -> None:
    """create-replacement, replace, delete-replaced in any number are `replace`."""
    told = document()
    whole = step_of(told, TASK)
    told["steps"].remove(whole)
    for op in ("create-replacement", "replace"):
        told["steps"].append(whole | {"op": op})
    told["steps"].append(
        {"op": "delete-replaced", "urn": TASK, "provider": whole["provider"], "detailedDiff": None}
        | {"oldState": whole["oldState"]}
    )
    assert plan(told) == plan(document())


def test_law_2_whatever_changes_the_effect_changes_the_form() -> None:
    """Another value, path, kind, op, URN or provider version is another plan."""

    def value(told: dict[str, Any]) -> None:
        step_of(told, TASK)["newState"]["inputs"]["cpu"] = "4096"

    def kind(told: dict[str, Any]) -> None:
        step_of(told, TASK)["detailedDiff"]["cpu"]["kind"] = "update"

    def op(told: dict[str, Any]) -> None:
        step_of(told, TASK)["op"] = "update"

    def path(told: dict[str, Any]) -> None:
        diff = step_of(told, SERVICE)["detailedDiff"]
        diff["desiredCount"] = {"kind": "update", "inputDiff": True}

    def urn(told: dict[str, Any]) -> None:
        step_of(told, CLUSTER)["urn"] += "2"

    def gone(told: dict[str, Any]) -> None:
        told["steps"].remove(step_of(told, CLUSTER))

    def provider(told: dict[str, Any]) -> None:
        step_of(told, TASK)["provider"] = "urn:pulumi:dev::shop::pulumi:providers:aws::other::id"

    for change in (value, kind, op, path, urn, gone, provider):
        told = document()
        change(told)
        assert plan(told) != plan(document()), change.__name__


def test_a_task_definition_is_bound_by_its_family_not_its_revision() -> None:
    """Revision 7 and revision 8 are the same token; another family is not."""
    told = document()
    arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:77"
    step_of(told, SERVICE)["oldState"]["inputs"]["taskDefinition"] = arn
    assert plan(told) == plan(document())
    step_of(told, SERVICE)["oldState"]["inputs"]["taskDefinition"] = arn.replace("shop", "other")
    assert plan(told) != plan(document())


def _unknown_op(told: dict[str, Any]) -> None:
    step_of(told, CLUSTER)["op"] = "transmogrify"


def _import(told: dict[str, Any]) -> None:
    step_of(told, CLUSTER)["op"] = "import"


def _unknown_kind(told: dict[str, Any]) -> None:
    step_of(told, TASK)["detailedDiff"]["cpu"]["kind"] = "reticulate"


def _unknown_key(told: dict[str, Any]) -> None:
    told["surprises"] = []


def _unknown_key_of_step(told: dict[str, Any]) -> None:
    step_of(told, TASK)["alsoDeletes"] = [CLUSTER]


def _unknown_key_of_diff(told: dict[str, Any]) -> None:
    step_of(told, TASK)["detailedDiff"]["cpu"]["cascade"] = True


def _no_diff(told: dict[str, Any]) -> None:
    step_of(told, TASK)["detailedDiff"] = None


def _silent_input(told: dict[str, Any]) -> None:
    step_of(told, TASK)["newState"]["inputs"]["family"] = "evil"


def _secret(told: dict[str, Any]) -> None:
    step = step_of(told, TASK)
    step["detailedDiff"] = {"environment.variables.KEY": {"kind": "update", "inputDiff": True}}
    for state in ("oldState", "newState"):
        step[state]["inputs"] = {"environment": {"variables": {"KEY": "[secret]", "A": "1"}}}


def _secret_beside(told: dict[str, Any]) -> None:
    step = step_of(told, TASK)
    step["detailedDiff"] = {"list[0]": {"kind": "update", "inputDiff": True}}
    step["oldState"]["inputs"] = {"list": ["a", ["[secret]"]]}


def _corrupt(told: dict[str, Any]) -> None:
    told["maybeCorrupt"] = True


def _odd_path(told: dict[str, Any]) -> None:
    step_of(told, TASK)["detailedDiff"] = {"a[": {"kind": "update", "inputDiff": True}}


def _two_minds(told: dict[str, Any]) -> None:
    told["steps"].append(step_of(told, TASK) | {"op": "delete"})


def _our_own_token(told: dict[str, Any]) -> None:
    step_of(told, TASK)["newState"]["inputs"]["cpu"] = {"$token": "unknown"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_unknown_op, "'transmogrify'"),
        (_import, "'import'"),
        (_unknown_kind, "'reticulate'"),
        (_unknown_key, "surprises"),
        (_unknown_key_of_step, "alsoDeletes"),
        (_unknown_key_of_diff, "cascade"),
        (_no_diff, "does not say which properties"),
        (_silent_input, "family differs, but the provider does not say so"),
        (_secret, "holds a secret"),
        (_secret_beside, "holds a secret"),
        (_corrupt, "may be corrupt"),
        (_odd_path, "cannot read"),
        (_two_minds, "do not belong together"),
        (_our_own_token, "which we use for ourselves"),
    ],
)
def test_law_2_what_is_not_understood_is_refused(change: Any, said: str) -> None:
    """An unknown op, key, kind or path may be anything; a secret may not be shown."""
    told = document()
    change(told)
    with pytest.raises(Refused, match=said):
        plan(told)


def test_a_secret_that_does_not_change_is_no_matter() -> None:
    """The chatbot's task carries one."""
    told = document()
    for state in ("oldState", "newState"):
        step_of(told, TASK)[state]["inputs"] |= {"tags": {"k": "[secret]"}}
    assert plan(told) == plan(document())


def test_outputs_of_a_replaced_resource_are_not_bound() -> None:
    """Some providers list the ARN they do not know yet beside the inputs that change."""
    told = document()
    diff = step_of(told, TASK)["detailedDiff"]
    diff |= {"arn": {"kind": "update", "inputDiff": False}, "revision": diff["cpu"]}
    assert plan(told) == plan(document())


def test_a_drift_of_outputs_alone_is_a_step() -> None:
    """Nothing the program says, and yet something would be done."""
    told = document()
    step_of(told, TASK)["detailedDiff"] = {"tagsAll": {"kind": "update", "inputDiff": False}}
    step_of(told, TASK)["newState"] = step_of(told, TASK)["oldState"]
    assert [p.path for p in plan(told).steps[1].paths] == ["tagsAll"]


def test_what_a_provider_filled_in_is_no_difference() -> None:
    """Its own notes beside the inputs."""
    told = document()
    step_of(told, TASK)["newState"]["inputs"]["__defaults"] = ["x"]
    step_of(told, TASK)["newState"]["inputs"]["platform"] = {"os": "LINUX", "__defaults": []}
    step_of(told, TASK)["oldState"]["inputs"]["platform"] = {"os": "LINUX"}
    assert plan(told) == plan(document())


def test_creates_and_deletes_are_steps_without_paths() -> None:
    """They have one side only; the gate refuses them."""
    told = document()
    told["steps"] += [{"op": "create", "urn": f"{CLUSTER}2", "newState": {"inputs": {}}}]
    step_of(told, CLUSTER)["op"] = "delete"
    assert {s.op: s.paths for s in plan(told).steps if s.op in {"create", "delete"}} == {
        "create": (),
        "delete": (),
    }


def test_the_mirror_exchanges_from_and_to() -> None:
    """Same URNs and paths; a token has no value to go back to; twice is the way itself."""
    steps = plan(document()).steps
    back = mirror(steps)
    assert words(back[1]) == (
        "replace TaskDefinition shop-task: cpu 1024 -> 512, memory 2048 -> 1024"
    )
    assert back[0] == steps[0]
    assert mirror(back) == steps


def test_the_mirror_of_an_added_path_is_a_deleted_one() -> None:
    """Kinds are exchanged too."""
    told = document()
    step_of(told, TASK)["detailedDiff"] = {"x": {"kind": "add-replace", "inputDiff": True}}
    step_of(told, TASK)["oldState"]["inputs"] = {}
    step_of(told, TASK)["newState"]["inputs"] = {"x": "1"}
    back = mirror(plan(told).steps)[1].paths[0]
    assert (back.kind, back.before, back.after) == ("delete-replace", "1", None)


def test_urns_are_read_by_their_parts() -> None:
    """A child's type names its parents; a name may hold colons."""
    urn = "urn:pulumi:dev::shop::my:Thing$aws:ecs/service:Service::a::b"
    assert (type_of(urn), name_of(urn)) == ("aws:ecs/service:Service", "a::b")
    assert short(urn) == "Service a::b"
