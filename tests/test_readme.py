"""The documents, held against what they speak of: commands, files, states, laws, statuses."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backburn.__main__ import DOCUMENTS, LOOKS, _parser
from backburn.ending import ENDINGS
from backburn.incident import Status
from backburn.workload import Mode
from backburn.workloads_yaml import parse
from sandbox.assembly import CDK_CLI
from sandbox.scenarios import SCENARIOS

ROOT = Path(__file__).parents[1]
NAMES = ("README.md", "docs/operating.md", "docs/decisions.md")
# A comment is not shown, so what it names need not be there.
PAGES = {
    name: re.sub(r"<!--.*?-->", "", (ROOT / name).read_text(), flags=re.DOTALL) for name in NAMES
}
README, OPERATING = PAGES["README.md"], PAGES["docs/operating.md"]
EVERYTHING = "\n".join(PAGES.values())
STATES: dict[str, dict[str, Any]] = json.loads(
    (ROOT / "stacks" / "remediation.asl.json").read_text()
)["States"]

FILE = re.compile(
    r"[\w.-]+(/[\w.-]+)*\.(py|md|json|ya?ml|txt|tmpl|toml|html|css)|[\w.-]+(/[\w.-]+)*/"
)
# What is made while Backburn runs, or belongs to a program of the reader's.
ELSEWHERE = (".sandbox/", "cache/", "requirements.txt", "Pulumi.yaml")


def blocks(page: str, language: str) -> list[str]:
    """The code blocks in a language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page, flags=re.DOTALL | re.MULTILINE)


def rows(page: str, *head: str) -> list[list[str]]:
    """The cells of the table whose head begins with these words, without their backticks."""
    lines = page.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith(f"| {' | '.join(head)} |")]
    assert len(starts) == 1, f"one table begins with {head}"
    found = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return found


def targets() -> set[str]:
    """What `make` can be asked for."""
    return set(re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def is_shown(name: str) -> bool:
    """Whether a state is a box of the picture: Choices are its forks."""
    return STATES[name]["Type"] in {"Task", "Wait"}


def reached(state: dict[str, Any]) -> Iterator[str]:
    """The boxes that may come next, through any forks."""
    for rule in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        for after in filter(None, (rule.get("Next"), rule.get("Default"))):
            if is_shown(after):
                yield after
            else:
                yield from reached(STATES[after])


def test_the_two_commands_are_there_and_tested() -> None:
    """The README promises two; CI runs the one that ends by itself."""
    said = re.findall(r"^make (\w+)", blocks(README, "sh")[0], flags=re.MULTILINE)
    assert said == ["demo", "test"]
    assert {"demo", "test"} <= targets()
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_make_target_it_names_exists() -> None:
    """In text and in code blocks alike."""
    named = set(re.findall(r"(?:`|^ *)make ([a-z]+)", EVERYTHING, flags=re.MULTILINE))
    assert {"demo", "test", "scenarios", "sandbox", "package"} <= named
    assert named - targets() == set()


def test_every_file_it_names_exists() -> None:
    """As inline code, seen from the root or the product; as a link, seen from its page."""
    prose = re.sub(r"^ *```.*?^ *```", "", EVERYTHING, flags=re.DOTALL | re.MULTILINE)
    code = set(re.findall(r"`([^`\n]+)`", prose))
    named = {word for word in code if FILE.fullmatch(word) and not word.startswith(ELSEWHERE)}
    roots = (ROOT, ROOT / "lambdas" / "backburn")
    assert [w for w in sorted(named) if not any((root / w).exists() for root in roots)] == []
    links = [
        (page, target)
        for page, text in PAGES.items()
        for target in re.findall(r"\]\(([^)#]+)\)", text)
        if "://" not in target
    ]
    assert links
    assert [(p, t) for p, t in links if not ((ROOT / p).parent / t).exists()] == []


def test_the_tree_is_the_one_on_disk() -> None:
    """Each line of the tree is a file or a folder; every folder of the root is in it."""
    tree = next(block for block in blocks(README, "text") if block.startswith("app.py"))
    folder, named = "", set()
    for line in tree.splitlines():
        name = line.split()[0]
        if line.startswith(" "):
            named.add(folder + name)
        else:
            named.add(name)
            folder = name
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    sources = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("[a-z]*/**/*.py")}
    assert sources - {name.split("/")[0] for name in named} <= {"cdk.out"}


def test_the_picture_is_the_state_machine() -> None:
    """Every box and every arrow, and no other."""
    (picture,) = blocks(README, "mermaid")
    drawn = re.findall(r"^\s*(\S+) --> ([^\s:]+)", picture, flags=re.MULTILINE)
    definition = {
        (name, after) for name in filter(is_shown, STATES) for after in reached(STATES[name])
    }
    start, end = ("[*]", "QueryTraces"), ("CloseIncident", "[*]")
    assert definition | {start, end} == set(drawn)
    assert len(drawn) == len(set(drawn))


def test_the_example_of_workloads_yaml_is_one() -> None:
    """It is parsed by the loader that synth uses, and it starts where a user should."""
    (example,) = blocks(README, "yaml")
    (workload,) = parse(example).workloads
    assert workload.mode is Mode.OBSERVE


def test_every_cli_command_it_names_exists_and_is_explained() -> None:
    """Both ways: nothing invented, nothing left out."""
    choices = next(a.choices for a in _parser()._actions if a.dest == "command")
    said = r"python -m backburn (?:--stack \w+ )?([a-z]+)"
    assert set(choices or ()) == set(re.findall(said, README))
    assert set(choices or ()) == set(re.findall(said, OPERATING))
    assert set(re.findall(r"--document ([a-z]+)", EVERYTHING)) <= {*DOCUMENTS, *LOOKS}


def test_every_law_has_its_module() -> None:
    """Ten laws, each owned by a file that is there."""
    laws = rows(README, "law", "in one line")
    assert [str(n) for n in range(1, 11)] == [law[0] for law in laws]
    assert [law[-1] for law in laws if not (ROOT / law[-1]).is_file()] == []


def test_every_scenario_is_told_with_its_outcome() -> None:
    """The table and the demo agree on how each must end."""
    told = {name: ending.split("`")[0] for name, _, ending in rows(README, "scenario")}
    assert {s.name: s.outcome for s in SCENARIOS.values()} == told


def test_the_cdk_cli_is_the_one_the_sandbox_uses() -> None:
    """`make demo CDK=1` and the way into an account deploy with the same version."""
    assert {CDK_CLI} == set(re.findall(r"aws-cdk@[\d.]+", EVERYTHING))


def test_every_stack_output_it_asks_for_exists() -> None:
    """`out NAME` in the commands is an output of the stack."""
    stack = (ROOT / "stacks" / "remediator.py").read_text()
    asked = set(re.findall(r"\bout ([A-Z]\w+)", EVERYTHING))
    assert {"ApiUrl", "ArtifactsBucket"} <= asked
    assert [name for name in sorted(asked) if f'"{name}": ' not in stack] == []


def test_every_status_is_explained() -> None:
    """All that an incident may have, and no other."""
    assert {status.value for status in Status} == {r[0] for r in rows(OPERATING, "status")}


def test_every_outcome_is_explained_with_its_status() -> None:
    """The table of endings, as an operator reads it."""
    told = {name: status for name, status, _ in rows(OPERATING, "outcome")}
    assert {name: ending.status.value for name, ending in ENDINGS.items()} == told


def test_every_document_is_listed() -> None:
    """What `show` can print lies where the page says."""
    listed = " ".join(r[0] for r in rows(OPERATING, "name", "written by"))
    assert [name for name in (*DOCUMENTS, *LOOKS) if not re.search(rf"\b{name}\b", listed)] == []


def test_every_alarm_is_explained() -> None:
    """Read from the sources, because importing the stacks takes seconds."""
    functions = ast.parse((ROOT / "stacks" / "functions.py").read_text())
    (doors,) = (
        node.value
        for node in functions.body
        if isinstance(node, ast.Assign)
        and [t.id for t in node.targets if isinstance(t, ast.Name)] == ["DOORS"]
    )
    assert isinstance(doors, ast.Tuple)
    names = [
        door.args[0].value
        for door in doors.elts
        if isinstance(door, ast.Call) and isinstance(door.args[0], ast.Constant)
    ]
    workflow = (ROOT / "stacks" / "workflow.py").read_text()
    watched = set(re.findall(r'"(Executions\w+)": self.machine', workflow))
    stack = (ROOT / "stacks" / "remediator.py").read_text()
    watched |= set(re.findall(r'"(\w+Unavailable)": self.intake', stack))
    assert watched | {f"{name!s}Errors" for name in names} == {
        r[0] for r in rows(OPERATING, "alarm")
    }
