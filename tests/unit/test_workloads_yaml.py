from __future__ import annotations

from pathlib import Path

import pytest

from backburn.errors import BadWorkloads
from backburn.workload import Mode, Workloads
from backburn.workloads_yaml import load, parse

ROOT = Path(__file__).parents[2]
GOOD = (ROOT / "workloads.yaml").read_text()


def refusal(text: str) -> str:
    """Everything that is said about a wrong text."""
    with pytest.raises(BadWorkloads) as caught:
        parse(text)
    return str(caught.value)


def line_of(text: str, start: str) -> int:
    """The first line that starts so."""
    return next(i for i, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start))


@pytest.mark.parametrize("file", ["workloads.yaml", "sandbox/workloads.yaml"])
def test_the_files_that_ship_are_right(file: str) -> None:
    """Both workloads.yaml of the repository load, and route the SLO to the chatbot."""
    workloads = load(ROOT / file)
    workload = workloads.for_slo("chat-latency")
    assert workload is not None
    assert (workload.name, workload.mode) == ("chatbot", Mode.APPLY)
    assert workloads.for_slo("of-nobody") is None


def test_the_two_files_differ_in_times_and_caps_only() -> None:
    """What the demo plays is what production runs, but for the waiting."""
    times = {"windows", "verification", "approval_minutes", "limits"}
    ours = load(ROOT / "workloads.yaml").named("chatbot").model_dump(exclude=times)
    assert ours == load(ROOT / "sandbox/workloads.yaml").named("chatbot").model_dump(exclude=times)


def test_production_defaults_are_what_the_file_writes() -> None:
    """Leaving the windows out means what the commented file says."""
    lines = GOOD.splitlines()
    start, end = line_of(GOOD, "windows:") - 1, line_of(GOOD, "limits:") - 1
    assert parse("\n".join(lines[:start] + lines[end:])) == parse(GOOD)


def test_json_and_back() -> None:
    """What the functions read is what synth validated."""
    workloads = parse(GOOD)
    assert Workloads.model_validate_json(workloads.model_dump_json()) == workloads


def test_a_value_out_of_range_names_line_field_and_expectation() -> None:
    """The error points at the very line."""
    text = GOOD.replace("burn: 900", "burn: 10")
    line = line_of(text, "burn:")
    expected = f"line {line}, workloads[0].windows.burn: input should be greater than or equal"
    assert expected in refusal(text)
    assert "found 10" in refusal(text)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    """Nobody should have to run synth three times."""
    text = GOOD.replace("mode: apply", "mode: yolo").replace("looks: 5", "looks: many")
    text = text.replace("operators: [", "operators: [nobody, ")
    said = refusal(text)
    assert said.startswith("workloads.yaml is wrong in 3 places:")
    assert said.index("operators[0]") < said.index("mode") < said.index("verification.looks")


def test_an_unknown_field_is_refused_with_the_nearest_known_one() -> None:
    """A typing error must not silently mean the default."""
    said = refusal(GOOD.replace("max_memory:", "max_memroy:"))
    assert "settings[0].max_memroy: is no known field; did you mean `max_memory`?" in said
    assert "settings[0].max_memory: is missing; expected: MiB a task may at most be given" in said


def test_an_unlike_field_lists_the_known_ones() -> None:
    """Where nothing is near, everything is named."""
    assert "known are column, value" in refusal(GOOD.replace("{ column:", "{ zzz: 1, column:"))


def test_a_missing_block_is_placed_where_it_should_stand() -> None:
    """The line is that of the workload which lacks it."""
    text = GOOD.replace("    ecs: {", "    # ecs: {")
    assert f"line {line_of(text, '- name')}, workloads[0].ecs: is missing" in refusal(text)


def test_a_key_that_stands_twice_is_refused() -> None:
    """YAML would take the last one in silence."""
    text = GOOD.replace("    mode: apply", "    mode: observe\n    mode: apply")
    assert "workloads[0].mode: stands here twice" in refusal(text)


def test_a_name_used_twice_is_refused() -> None:
    """Incidents and artifacts are named after the workload."""
    twin = GOOD.split("workloads:\n", 1)[1].replace("chat-latency", "other-slo")
    said = refusal(GOOD + twin)
    assert "workloads[1].name: 'chatbot' is already the name of workloads[0]" in said


def test_an_slo_routed_twice_is_refused() -> None:
    """Only the SLO routes, so it routes to one workload."""
    text = GOOD.replace("slos: [chat-latency]", "slos: [chat-latency, chat-latency]")
    assert "'chat-latency' is already routed by workloads[0].slos[0]" in refusal(text)


def test_a_freeze_keeps_its_offset_and_must_end_after_it_starts() -> None:
    """A freeze window is aware of its time zone."""
    window = "freeze: [{ start: 2026-12-24T00:00:00+02:00, end: 2026-12-2%sT00:00:00Z, why: x }]"
    text = GOOD.replace("freeze: []", window % 7)
    assert parse(text).named("chatbot").limits.freeze[0].start.isoformat().endswith("+02:00")
    assert "limits.freeze[0].end: must be after `start`" in refusal(text.replace("12-27", "12-20"))


def test_a_freeze_without_a_zone_is_refused() -> None:
    """Midnight is not the same everywhere."""
    text = GOOD.replace("freeze: []", "freeze: [{ start: 2026-12-24T00:00:00, end: x, why: y }]")
    assert "limits.freeze[0].start" in refusal(text)


@pytest.mark.parametrize("text", ["a: [1", "\tx: 1", "a: b: c"])
def test_what_is_not_yaml_is_refused_with_its_line(text: str) -> None:
    """A parser's traceback helps nobody."""
    assert "line 1, the text: is not YAML" in refusal(text)


@pytest.mark.parametrize("text", ["", "- 1", "just words"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    """An empty file is not a right one."""
    assert "line 1, the file: " in refusal(text)


def test_numbers_are_read_as_yaml_reads_them() -> None:
    """Hexadecimal and underscores are legal; text where a number belongs is not."""
    text = GOOD.replace("max_cpu: 2048", "max_cpu: 0x800").replace("soak: 600", "soak: 6_00")
    assert parse(text) == parse(GOOD)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The sentence names the file."""
    with pytest.raises(BadWorkloads, match=r"none\.yaml cannot be read"):
        load(tmp_path / "none.yaml")


def test_law_9_the_roles_that_tasks_may_be_given_are_named() -> None:
    """A bare wildcard would let the deploy build run a task as any role of the account."""
    named = "task_roles: [otel-ai-chatbot-dev-*]"
    anybody = GOOD.replace(named, 'task_roles: ["*"]')
    assert f"line {line_of(GOOD, 'ecs:')}, workloads[0].ecs.task_roles[0]" in refusal(anybody)
    nobody = GOOD.replace(f", {named}", "")
    said = f"line {line_of(GOOD, 'ecs:')}, workloads[0].ecs: mode apply needs task_roles"
    assert said in refusal(nobody)
    assert (
        parse(nobody.replace("mode: apply", "mode: observe")).named("chatbot").ecs.task_roles == ()
    )
