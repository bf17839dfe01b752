"""What every resource type of the stand-in is."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from botocore.session import Session

from .difference import Inputs, canonical

State = dict[str, Any]

_region = {"name": ""}
_clients: dict[str, Any] = {}
_making = threading.Lock()
_session = Session()  # boto3 is this and 0.2 s of imports for S3 transfers


def region() -> str:
    """The region of this provider."""
    return (
        _region["name"]
        or os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION")
        or "us-east-1"
    )


def set_region(name: str) -> None:
    """Take the region from the stack's `aws:region`."""
    _region["name"] = name


def aws(service: str) -> Any:
    """A client; botocore honours AWS_ENDPOINT_URL and the usual credentials."""
    with _making:  # making one is slow and not thread-safe; using one from many threads is fine
        if service not in _clients:
            _clients[service] = _session.create_client(service, region_name=region())
        return _clients[service]


class Resource(ABC):
    """One resource type. Inputs and states use the Pulumi property names."""

    # The property that gets an automatic name, and how long the service lets it be.
    auto_name: ClassVar[str | None] = "name"
    name_limit: ClassVar[int] = 255
    required: ClassVar[tuple[str, ...]] = ()
    # What the provider fills in for a property that the program leaves out.
    defaults: ClassVar[dict[str, Any]] = {}
    # Properties whose change replaces the resource.
    replaces: ClassVar[frozenset[str]] = frozenset({"name"})
    # Properties that hold JSON text, compared by meaning.
    documents: ClassVar[frozenset[str]] = frozenset()
    # Paths of lists that are sets to the service.
    unordered: ClassVar[frozenset[str]] = frozenset()
    # Outputs that a create makes: unknown until then, unchanged by an update.
    computed: ClassVar[tuple[str, ...]] = ("arn",)

    @abstractmethod
    def create(self, inputs: Inputs) -> tuple[str, State]:
        """Make it; its id and the outputs that are not inputs."""

    @abstractmethod
    def read(self, identity: str, state: State) -> State | None:
        """What the service says of it now, in inputs' terms; None if it is gone."""

    @abstractmethod
    def delete(self, identity: str, state: State) -> None:
        """Remove it."""

    def update(self, identity: str, inputs: Inputs, old: State, changed: frozenset[str]) -> None:
        """Change it in place; only what changed is sent, as the real provider does."""
        raise NotImplementedError(f"{type(self).__name__} {identity} cannot change {changed}")

    def replaces_on(self, name: str) -> bool:
        """Whether a change of this property makes a new resource."""
        return name in self.replaces

    def canonical(self, inputs: Inputs) -> Inputs:
        """The inputs as they are compared."""
        return canonical(inputs, self.documents, self.unordered)


def pick(values: Inputs, *names: str, **renamed: str) -> dict[str, Any]:
    """The named values that are set; `New="old"` also renames."""
    wanted = {name: name for name in names} | renamed
    return {new: values[old] for new, old in wanted.items() if values.get(old) is not None}


def tag_list(tags: dict[str, str] | None, key: str = "key", value: str = "value") -> list[Any]:
    """Tags as most services want them."""
    return [{key: k, value: v} for k, v in (tags or {}).items()]


def tag_map(tags: Iterable[dict[str, str]], key: str = "key", value: str = "value") -> Any:
    """Tags as a program writes them; None if there are none."""
    return {tag[key]: tag[value] for tag in tags} or None


def dropped(inputs: Inputs, old: State) -> list[str]:
    """The tag keys that an update takes away."""
    return sorted({*(old.get("tags") or {})} - {*(inputs.get("tags") or {})})
