"""The provider as the engine talks to it: gRPC on a loopback port printed on the first line."""

# ruff: noqa: ARG002, N802  (the names and the unused arguments are those of the gRPC service)

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import grpc  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2  # type: ignore[import-untyped]

from sandbox.pulumi.plugin import serve
from sandbox.pulumi.protocol import plugin_pb2, provider_pb2, provider_pb2_grpc

from .defaults import filled, plain
from .difference import Inputs, differences, top
from .resource import Resource, set_region
from .types import FUNCTIONS, RESOURCES
from .wire import UNKNOWN, decode, encode

VERSION = "7.51.1"  # of the pulumi-aws SDK whose property names are understood
GONE = re.compile(r"NotFound|NoSuchEntity|does not exist|Unable to describe")
Result = TypeVar("Result")
Context: TypeAlias = Any  # grpc.ServicerContext; grpc has no types


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Every call of the engine, turned into one on a resource type."""

    def Handshake(self, request: Any, context: Context) -> Any:
        """Nothing to agree on."""
        return provider_pb2.ProviderHandshakeResponse(supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: Context) -> Any:
        """The version the program's SDK asks for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request: Any, context: Context) -> Any:
        """Any provider configuration is accepted."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Context) -> Any:
        """A change of it never replaces resources."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Context) -> Any:
        """Only the region matters; the rest comes from the environment."""
        set_region(request.variables.get("aws:config:region", ""))
        return provider_pb2.ConfigureResponse(
            supportsPreview=True, supports_autonaming_configuration=True
        )

    def Attach(self, request: Any, context: Context) -> Any:
        """For debuggers."""
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Context) -> Any:
        """Every call is short: let the running ones end."""
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Context) -> Any:
        """A function such as aws.get_region()."""
        function = FUNCTIONS.get(request.tok)
        if function is None:
            _unknown(context, request.tok)
        result = {"return": encode(_told(context, request.tok, function or dict))}
        return provider_pb2.InvokeResponse(**result)

    def Check(self, request: Any, context: Context) -> Any:
        """Fill in an automatic name and the defaults; name what is missing."""
        kind, old, new = _kind(request.urn, context), decode(request.olds), decode(request.news)
        if kind.auto_name and kind.auto_name not in new:
            new[kind.auto_name] = old.get(kind.auto_name) or _name(kind, request)
        new = filled(new, kind.defaults)
        missing = [name for name in kind.required if name not in new]
        return provider_pb2.CheckResponse(
            inputs=encode(new),
            failures=[
                provider_pb2.CheckFailure(property=name, reason=f"Missing required argument {name}")
                for name in missing
            ],
        )

    def Diff(self, request: Any, context: Context) -> Any:
        """Which paths differ, and which of them need a new resource."""
        kind = _kind(request.urn, context)
        old, new = decode(request.old_inputs), decode(request.news)
        found = dict(differences(kind.canonical(old), kind.canonical(new)))
        response = provider_pb2.DiffResponse(hasDetailedDiff=True)
        for path, change in found.items():
            replaces = kind.replaces_on(top(path))
            # No inputDiff, as from the real provider.
            response.detailedDiff[path].kind = provider_pb2.PropertyDiff.Kind.Value(
                f"{change}_REPLACE" if replaces else change
            )
        response.diffs.extend(sorted({top(path) for path in found}))
        response.replaces.extend(name for name in response.diffs if kind.replaces_on(name))
        # Two resources cannot bear one name: with the program's own name the old one goes first.
        response.deleteBeforeReplace = bool(
            response.replaces and kind.auto_name and _named_by_program(kind, request, old, new)
        )
        response.changes = response.DIFF_SOME if found else response.DIFF_NONE
        return response

    def Create(self, request: Any, context: Context) -> Any:
        """Make it, or in a preview say which outputs would be made."""
        kind, inputs = _kind(request.urn, context), plain(decode(request.properties))
        if request.preview:
            made: Inputs = dict.fromkeys(kind.computed, UNKNOWN)
            return provider_pb2.CreateResponse(properties=encode(inputs | made))
        identity, made = _told(context, f"creating {request.urn}", kind.create, inputs)
        outputs = _outputs(context, request.urn, kind, identity, inputs | made)
        return provider_pb2.CreateResponse(id=identity, properties=encode(outputs))

    def Update(self, request: Any, context: Context) -> Any:
        """Change it in place."""
        kind = _kind(request.urn, context)
        inputs, old = plain(decode(request.news)), decode(request.olds)
        outputs = inputs | {name: old[name] for name in kind.computed if name in old}
        if not request.preview:
            before = kind.canonical(decode(request.old_inputs))
            changed = frozenset(
                top(path) for path, _ in differences(before, kind.canonical(inputs))
            )
            call = f"updating {request.urn}"
            _told(context, call, kind.update, request.id, inputs, old, changed)
            outputs = _outputs(context, request.urn, kind, request.id, outputs)
        return provider_pb2.UpdateResponse(properties=encode(outputs))

    def Read(self, request: Any, context: Context) -> Any:
        """What is there now; inputs that mean the same keep the program's form."""
        kind = _kind(request.urn, context)
        state, inputs = decode(request.properties), decode(request.inputs)
        live = _found(context, f"reading {request.urn}", kind.read, request.id, state)
        if live is None:
            return provider_pb2.ReadResponse()
        merged = {name: _merge(kind, name, value, live) for name, value in inputs.items()}
        return provider_pb2.ReadResponse(
            id=request.id, properties=encode(state | live | plain(merged)), inputs=encode(merged)
        )

    def Delete(self, request: Any, context: Context) -> Any:
        """Remove it; one that is gone already is no error."""
        kind, state = _kind(request.urn, context), decode(request.properties)
        _found(context, f"deleting {request.urn}", kind.delete, request.id, state)
        return empty_pb2.Empty()


def _kind(urn: str, context: Context) -> Resource:
    token = urn.split("::")[2].rsplit("$", 1)[-1]
    if token not in RESOURCES:
        _unknown(context, token)
    return RESOURCES[token]


def _unknown(context: Context, token: str) -> None:
    context.abort(
        grpc.StatusCode.UNIMPLEMENTED,
        f"{token} is not in the sandbox's AWS provider; see sandbox/pulumi/provider/types.py",
    )


def _name(kind: Resource, request: Any) -> str:
    """The engine's proposal, else logical name and seven random digits (stable for one seed)."""
    if request.autonaming.proposed_name:
        return str(request.autonaming.proposed_name)
    seed = hashlib.sha256(request.randomSeed or request.urn.encode()).hexdigest()[:7]
    return f"{request.urn.split('::')[-1][: kind.name_limit - 8]}-{seed}"


def _named_by_program(kind: Resource, request: Any, old: Inputs, new: Inputs) -> bool:
    name = str(new.get(kind.auto_name or ""))
    logical = request.urn.split("::")[-1]
    return old.get(kind.auto_name or "") == name and not re.fullmatch(
        re.escape(logical) + r"-[0-9a-f]{7}", name
    )


def _outputs(context: Context, urn: str, kind: Resource, identity: str, known: Inputs) -> Inputs:
    """What is known and what else the service tells: a create or update ends with a read.

    So a refresh right after it finds nothing new, and leaves the state as it was.
    """
    return (_found(context, f"reading {urn}", kind.read, identity, known) or {}) | known


def _merge(kind: Resource, name: str, value: Any, live: Inputs) -> Any:
    if name not in live:
        return value
    now = live[name]
    if isinstance(value, dict) and isinstance(now, dict) and name != "tags":
        # The service also tells its defaults; only what the program set can drift.
        now = {key: now[key] for key in value if key in now} | {
            key: item for key, item in value.items() if key not in now
        }
    same = kind.canonical({name: value}) == kind.canonical({name: now})
    return value if same else now


def _told(context: Context, what: str, call: Callable[..., Result], *arguments: Any) -> Result:
    """Call, and tell the engine what failed in the service's words."""
    try:
        return call(*arguments)
    except ClientError as error:
        said = error.response.get("Error", {})
        reason = f"{said.get('Code', 'Error')}: {said.get('Message', error)}"
    except (BotoCoreError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
    context.abort(grpc.StatusCode.UNKNOWN, f"{what}: {reason}")
    raise AssertionError("abort raises")


def _found(
    context: Context, what: str, call: Callable[..., Result], *arguments: Any
) -> Result | None:
    """As `_told`, but None for what the service no longer knows."""

    def unless_gone() -> Result | None:
        try:
            return call(*arguments)
        except ClientError as error:
            if GONE.search(str(error)):
                return None
            raise

    return _told(context, what, unless_gone)


def main() -> None:
    """Serve until the engine ends."""
    serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    )
