"""AWS IAM: role, inline policy, attached policy."""

# ruff: noqa: ARG002  (every type has the signatures of Resource)

from __future__ import annotations

import json
from typing import Any, ClassVar

from .difference import Inputs
from .resource import Resource, State, aws, dropped, pick, tag_list, tag_map


def _text(document: Any) -> str:
    """A policy as text; botocore already decoded it."""
    return document if isinstance(document, str) else json.dumps(document)


class Role(Resource):
    """aws:iam/role:Role. ForceNew in iam/role.go: name, name_prefix, path."""

    name_limit = 64
    defaults: ClassVar = {"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"}
    required: ClassVar = ("assumeRolePolicy",)
    replaces: ClassVar = frozenset({"name", "namePrefix", "path"})
    documents: ClassVar = frozenset({"assumeRolePolicy"})
    computed: ClassVar = ("arn", "createDate", "uniqueId")

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Create the role; its id is its name."""
        role = aws("iam").create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Tags=tag_list(inputs.get("tags"), "Key", "Value"),
            **pick(
                inputs,
                Description="description",
                Path="path",
                MaxSessionDuration="maxSessionDuration",
                PermissionsBoundary="permissionsBoundary",
            ),
        )["Role"]
        return role["RoleName"], self._outputs(role)

    def read(self, identity: str, state: State) -> State | None:
        """NoSuchEntity says it is gone."""
        role = aws("iam").get_role(RoleName=identity)["Role"]
        return {
            "name": role["RoleName"],
            "assumeRolePolicy": _text(role["AssumeRolePolicyDocument"]),
            "tags": tag_map(role.get("Tags", []), "Key", "Value"),
            **pick(
                role,
                description="Description",
                path="Path",
                maxSessionDuration="MaxSessionDuration",
            ),
            **self._outputs(role),
        }

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Trust, description, session length and tags change in place."""
        iam = aws("iam")
        if "assumeRolePolicy" in changed:
            iam.update_assume_role_policy(
                RoleName=identity, PolicyDocument=inputs["assumeRolePolicy"]
            )
        if changed & {"description", "maxSessionDuration"}:
            iam.update_role(
                RoleName=identity,
                Description=inputs.get("description") or "",
                **pick(inputs, MaxSessionDuration="maxSessionDuration"),
            )
        if gone := dropped(inputs, old):
            iam.untag_role(RoleName=identity, TagKeys=gone)
        if "tags" in changed and inputs.get("tags"):
            iam.tag_role(RoleName=identity, Tags=tag_list(inputs["tags"], "Key", "Value"))

    def delete(self, identity: str, state: State) -> None:
        """Refused by the service while policies hang on it, unless the program forces it."""
        iam = aws("iam")
        if state.get("forceDetachPolicies"):
            for policy in iam.list_attached_role_policies(RoleName=identity)["AttachedPolicies"]:
                iam.detach_role_policy(RoleName=identity, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=identity)

    def _outputs(self, role: dict[str, Any]) -> State:
        return {
            "arn": role["Arn"],
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "uniqueId": role["RoleId"],
        }


class RolePolicy(Resource):
    """aws:iam/rolePolicy:RolePolicy. ForceNew in iam/role_policy.go: name, name_prefix, role."""

    name_limit = 128
    required: ClassVar = ("role", "policy")
    replaces: ClassVar = frozenset({"name", "namePrefix", "role"})
    documents: ClassVar = frozenset({"policy"})
    computed: ClassVar = ()

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Put the policy; its id is `role:name`."""
        self._put(inputs)
        return f"{inputs['role']}:{inputs['name']}", {}

    def read(self, identity: str, state: State) -> State | None:
        """NoSuchEntity says it is gone."""
        role, name = identity.split(":", 1)
        found = aws("iam").get_role_policy(RoleName=role, PolicyName=name)
        return {"role": role, "name": name, "policy": _text(found["PolicyDocument"])}

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Put it again."""
        self._put(inputs)

    def delete(self, identity: str, state: State) -> None:
        """Take the policy off the role."""
        role, name = identity.split(":", 1)
        aws("iam").delete_role_policy(RoleName=role, PolicyName=name)

    def _put(self, inputs: Inputs) -> None:
        aws("iam").put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )


class RolePolicyAttachment(Resource):
    """aws:iam/rolePolicyAttachment:RolePolicyAttachment. Both of its inputs are ForceNew."""

    auto_name = None
    required: ClassVar = ("role", "policyArn")
    replaces: ClassVar = frozenset({"role", "policyArn"})
    computed: ClassVar = ()

    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Attach the policy."""
        aws("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}", {}

    def read(self, identity: str, state: State) -> State | None:
        """Gone if the role is, or if it is no longer attached."""
        found = aws("iam").list_attached_role_policies(RoleName=state["role"])["AttachedPolicies"]
        attached = state["policyArn"] in {policy["PolicyArn"] for policy in found}
        return pick(state, "role", "policyArn") if attached else None

    def delete(self, identity: str, state: State) -> None:
        """Detach it."""
        aws("iam").detach_role_policy(RoleName=state["role"], PolicyArn=state["policyArn"])
