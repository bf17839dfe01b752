"""A synthesised template, asked in the words of the stack."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Json = Any


@dataclass(frozen=True)
class Grant:
    """One action a role may take on one resource."""

    role: str  # the construct it belongs to: a state, route, event, build, or Workflow
    action: str
    resource: str
    condition: str = ""  # JSON

    @property
    def access(self) -> tuple[str, str]:
        """Action and resource."""
        return self.action, self.resource


class Template:
    """Reads resources and permissions out of CloudFormation's JSON."""

    def __init__(self, document: Json) -> None:
        self.document = document

    def resources(self, kind: str) -> dict[str, Json]:
        """Logical id to properties, of one type."""
        found = self.document["Resources"].items()
        return {name: r.get("Properties", {}) for name, r in found if r["Type"] == kind}

    def one(self, kind: str, starts: str = "") -> Json:
        """The properties of the only resource of a type whose logical id starts so."""
        found = [p for name, p in self.resources(kind).items() if name.startswith(starts)]
        assert len(found) == 1, f"{len(found)} resources {kind} {starts}*"
        return found[0]

    def parts(self, kind: str) -> dict[str, Json]:
        """Construct name to properties, e.g. `Diagnose` of `DiagnoseFunction1A2B3C4D`."""
        tail = kind.rsplit("::", 1)[-1]
        return {construct(name, tail): p for name, p in self.resources(kind).items()}

    @cached_property
    def grants(self) -> list[Grant]:
        """Everything any role of the stack may do."""
        return list(self._grants())

    def _grants(self) -> Iterator[Grant]:
        for policy in self.resources("AWS::IAM::Policy").values():
            (role,) = [construct(r["Ref"], "Role") for r in policy["Roles"]]
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                where = json.dumps(statement["Condition"]) if "Condition" in statement else ""
                for action in listed(statement["Action"]):
                    for resource in listed(statement["Resource"]):
                        yield Grant(role, action, text(resource), where)

    def of(self, role: str) -> list[Grant]:
        """What one part may do."""
        found = [grant for grant in self.grants if grant.role == role]
        assert found, f"no part is called {role}"
        return found

    def who(self, action: str, resource: str = "*") -> set[str]:
        """Who may do `action` on a resource whose text matches the pattern."""
        return {
            grant.role
            for grant in self.grants
            if fnmatch.fnmatchcase(action, grant.action)
            and fnmatch.fnmatchcase(grant.resource, resource)
        }


def listed(value: Json) -> list[Json]:
    """IAM's one-or-many as many."""
    return value if isinstance(value, list) else [value]


def text(value: Json) -> str:
    """A value with its intrinsics spelled out: references become `<LogicalId>`, hashes dropped."""
    if isinstance(value, dict) and len(value) == 1:
        (function, argument), *_ = value.items()
        if function == "Ref":
            return f"<{stem(argument)}>"
        if function == "Fn::GetAtt":
            return f"<{stem(argument[0])}>"
        if function == "Fn::Join":
            return str(argument[0]).join(text(part) for part in argument[1])
        if function == "Fn::Sub":
            return re.sub(r"\$\{([^}]*)\}", r"<\1>", argument)
    return value if isinstance(value, str) else str(value)


def stem(logical: str) -> str:
    """A logical id without the CDK's hash."""
    return re.sub(r"[0-9A-F]{8}$", "", logical)


def construct(logical: str, kind: str) -> str:
    """The name of the construct that a role, function or project belongs to."""
    return stem(logical).removesuffix(kind)
