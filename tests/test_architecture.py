"""The tree is the architecture: what may import what, what a file may be called, how long it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ROOT / "lambdas" / "backburn"
VERBS = ("steps", "routes", "events")
RIM = {"wiring.py", "__main__.py"}

# What would make a noun depend on the world, the moment or chance.
EFFECTS = {
    "anthropic",
    "asyncio",
    "boto3",
    "botocore",
    "httpx",
    "logging",
    "os",
    "random",
    "requests",
    "secrets",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "uuid",
}
MOMENTS = {"now", "utcnow", "today"}
FORBIDDEN_NAMES = {
    "base",
    "common",
    "constants",
    "core",
    "helper",
    "helpers",
    "manager",
    "misc",
    "service",
    "services",
    "util",
    "utils",
}
LONGEST = 250
# A file that may be longer, with the reason that it is one thing.
LONGER = {
    "lambdas/backburn/ports.py": "the list of all contracts: each is a few lines of its own",
}


def sources(*folders: str) -> list[Path]:
    """The Python files below these folders of the repository."""
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return sorted(file for file in files if "cdk.out" not in file.parts)


def named(path: Path) -> str:
    """How the repository calls it."""
    return path.relative_to(ROOT).as_posix()


def nouns() -> list[Path]:
    """The pure middle: the package's own modules, the arithmetic on spans, the editing of text."""
    top = [path for path in PRODUCT.glob("*.py") if path.name not in RIM]
    return top + sources("lambdas/backburn/traces", "lambdas/backburn/programs")


def verbs() -> list[Path]:
    """States, routes and events."""
    return [path for kind in VERBS for path in sources(f"lambdas/backburn/{kind}")]


@cache
def imports(path: Path) -> frozenset[str]:
    """The absolute names of everything a file imports, at its top or inside a function."""
    found: set[str] = set()
    package = path.relative_to(ROOT / "lambdas").parent.parts if PRODUCT in path.parents else ()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            upper = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*upper, *filter(None, [node.module])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def imported(path: Path, *forbidden: str) -> set[str]:
    """Which of these modules, or what is in them, a file imports."""
    return {name for name in imports(path) for bad in forbidden if f"{name}.".startswith(f"{bad}.")}


def offenders(paths: list[Path], *forbidden: str) -> Iterator[str]:
    """`file imports module`, for every import that must not be."""
    for path in paths:
        for name in sorted(imported(path, *forbidden)):
            yield f"{named(path)} imports {name}"


def test_nouns_know_neither_verbs_nor_adapters_nor_the_wiring() -> None:
    """Dependencies point one way."""
    outer = [f"backburn.{outer}" for outer in (*VERBS, "adapters", "wiring", "__main__")]
    assert list(offenders(nouns(), *outer)) == []


def test_nouns_have_no_effects() -> None:
    """No network, no clock, no chance, no environment: a noun is tested by calling it."""
    assert list(offenders(nouns(), *EFFECTS)) == []


def test_nouns_ask_nobody_what_time_it_is() -> None:
    """The moment is an argument."""
    asked = [
        f"{named(path)}:{node.lineno}"
        for path in nouns()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in MOMENTS
    ]
    assert asked == []


def test_adapters_know_the_nouns_and_each_other() -> None:
    """An adapter that knew a step would be part of it."""
    adapters = sources("lambdas/backburn/adapters")
    outer = [f"backburn.{outer}" for outer in (*VERBS, "wiring", "__main__")]
    assert list(offenders(adapters, *outer)) == []


def test_only_the_wiring_knows_adapters() -> None:
    """Steps, routes and events say what they need; the wiring says who does it."""
    others = [*verbs(), PRODUCT / "__main__.py"]
    assert list(offenders(others, "backburn.adapters")) == []


def test_verbs_speak_to_the_world_through_ports() -> None:
    """Not to AWS, HTTP, the environment or the clock."""
    assert list(offenders(verbs(), "boto3", "botocore", "httpx", "anthropic", "os", "time")) == []


def test_product_stacks_sandbox_and_patient_are_apart() -> None:
    """What runs in AWS knows nothing of the sandbox, nor WHERE it runs of WHAT it does."""
    everything = {
        "lambdas": "backburn",
        "stacks": "stacks",
        "sandbox": "sandbox",
        "chatbot": "chatbot",
    }
    allowed = {"sandbox": {"chatbot", "backburn"}}
    for folder in everything:
        foreign = {m for f, m in everything.items() if f != folder} - allowed.get(folder, set())
        assert list(offenders(sources(folder), *foreign, "tests")) == []


def test_tests_replace_ports_and_not_our_own_modules() -> None:
    """A patched module is a design that did not get a seam."""
    patched = [
        named(path)
        for path in sources("tests")
        if path != Path(__file__)
        and ("mock.patch" in (text := path.read_text()) or "import patch" in text)
    ]
    assert patched == []


@pytest.mark.parametrize("folder", ["lambdas", "stacks", "sandbox", "chatbot", "tests"])
def test_every_file_is_called_by_what_is_in_it(folder: str) -> None:
    """A name that fits everything says nothing."""
    bad = [
        named(path)
        for path in sources(folder)
        if FORBIDDEN_NAMES & {path.stem, *path.relative_to(ROOT).parts[:-1]}
    ]
    assert bad == []


@pytest.mark.parametrize("folder", ["lambdas", "stacks", "sandbox", "chatbot"])
def test_no_file_is_longer_than_a_person_reads_at_once(folder: str) -> None:
    """A longer one needs its reason above."""
    long = {named(path): len(path.read_text().splitlines()) for path in sources(folder)}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {
        name: long[name] for name in LONGER if name.startswith(f"{folder}/")
    }
