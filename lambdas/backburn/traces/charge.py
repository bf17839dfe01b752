"""Who is charged with a span's own time: the operation itself, or the callee it waits on."""

from __future__ import annotations

from collections.abc import Sequence

from .span import Span

# Which attribute names a dependency, most telling first: all calls of one remote service, a chat
# and an embedding of the same provider for instance, are to be one dependency.
_NAMED_BY = ("rpc.service", "gen_ai.system", "db.system", "rpc.system")


def callee(span: Span, children: Sequence[Span]) -> str | None:
    """The dependency a span waits on while no child of it runs; None if it works itself.

    A client span waits: on the service of its one server child (network, queue and proxy in front
    of it are the callee's), else on what its attributes name. Without a span kind, a leaf that
    names a remote system counts as a client span.
    """
    remote = {child.service for child in children if child.service != span.service}
    kind = (span.kind or "").lower()
    if len(remote) == 1 and len(children) == 1:
        return next(iter(remote))
    if kind in {"client", "producer"} or (not kind and not children and named(span)):
        return named(span) or span.name
    return None


def named(span: Span) -> str | None:
    """The remote system its attributes name."""
    return next((span.attributes[key] for key in _NAMED_BY if key in span.attributes), None)


def origin(span: Span, children: Sequence[Span]) -> bool:
    """Whether an error began here: the span failed and none of its children did."""
    return span.error is True and not any(child.error for child in children)
