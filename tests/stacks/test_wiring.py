"""What the stacks tell a function is what wiring.py reads for it: no more, no less."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from stacks.functions import DOORS, STEPS, Spec
from tests.stacks.template import Template

PRODUCT = Path(__file__).parents[2] / "lambdas" / "backburn"
BUILDS = {"Preview": ["preview_patch"], "Deploy": ["apply_patch", "roll_back"]}
# Set by the buildspec, or read with a default that is right in AWS.
OPTIONAL = {"BACKBURN_APPROVER_TOPICS"}  # without it, only the operators can be mailed
NOT_FROM_THE_STACK = {"BACKBURN_EXPORTS", "BACKBURN_CACHE"}


def read_by_wiring() -> dict[str, set[str]]:
    """Function of wiring.py to the environment variables it reads, its own callees included."""
    tree = ast.parse((PRODUCT / "wiring.py").read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    def reads(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
        found = variables(functions[name])
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.Name) and node.id in functions and node.id not in seen:
                found |= reads(node.id, seen | {name})
        return found

    return {name: reads(name) for name in functions}


def variables(node: ast.AST) -> set[str]:
    """The names of our environment variables that stand in a piece of code."""
    texts = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
    return {t for t in texts if isinstance(t, str) and t.startswith("BACKBURN_")}


def read_by(*modules: str) -> set[str]:
    """What these modules read, through wiring or by name."""
    wired, found = read_by_wiring(), set[str]()
    for module in modules:
        tree = ast.parse((PRODUCT / f"{module.replace('.', '/')}.py").read_text())
        found |= variables(tree)
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id="wiring"), attr=name):
                    found |= wired[name]
    return found - NOT_FROM_THE_STACK


@pytest.mark.parametrize("spec", [*STEPS, *DOORS], ids=lambda spec: spec.name)
def test_a_function_is_told_what_it_reads(spec: Spec, template: Template) -> None:
    """A variable too few fails at run time; one too many is a door nobody uses."""
    function: Any = template.parts("AWS::Lambda::Function")[spec.name]
    told, read = set(function["Environment"]["Variables"]), read_by(spec.module)
    assert told - read == set()
    assert read - told <= OPTIONAL


@pytest.mark.parametrize("build", sorted(BUILDS))
def test_a_build_is_told_what_its_steps_read(build: str, template: Template) -> None:
    """The same for the two projects."""
    project: Any = template.parts("AWS::CodeBuild::Project")[build]
    told = {v["Name"] for v in project["Environment"]["EnvironmentVariables"]}
    assert told == read_by(*(f"steps.{step}" for step in BUILDS[build]))
