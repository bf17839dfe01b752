from __future__ import annotations

from typing import Any

from backburn.traces.charge import callee, origin
from backburn.traces.span import Span


def span(service: str = "shop", **fields: Any) -> Span:
    """A span of a service."""
    return Span(trace_id="t", span_id="a", service=service, **fields)


def test_own_work_is_charged_to_nobody_else() -> None:
    """Inner spans, with or without children."""
    assert callee(span(kind="internal"), []) is None
    assert callee(span(), [span(), span()]) is None


def test_a_client_span_is_charged_to_its_server() -> None:
    """Network, queue and proxy in front of the callee are the callee's."""
    assert callee(span(kind="client"), [span("cart")]) == "cart"
    assert callee(span(), [span("cart")]) == "cart"


def test_a_client_span_without_a_server_is_charged_to_what_it_names() -> None:
    """The provider, the database, or else the operation."""
    chat = span(kind="client", attributes={"gen_ai.system": "aws.bedrock"})
    assert callee(chat, []) == "aws.bedrock"
    assert callee(span(kind="client", name="GET"), []) == "GET"


def test_all_calls_of_one_remote_service_are_one_dependency() -> None:
    """Chat and embedding of one provider are told by the provider."""
    attributes = {"rpc.service": "BedrockRuntime", "gen_ai.system": "aws.bedrock"}
    assert callee(span(kind="client", attributes=attributes), []) == "BedrockRuntime"


def test_without_kinds_a_leaf_that_names_a_system_waits_on_it() -> None:
    """Traces without span kinds still tell databases from own work."""
    assert callee(span(attributes={"db.system": "redis"}), []) == "redis"
    assert callee(span(attributes={"db.system": "redis"}), [span()]) is None


def test_an_inner_span_that_names_a_system_is_own_work() -> None:
    """Retrieval in the process may call itself a database."""
    assert callee(span(kind="internal", attributes={"db.system": "faiss"}), []) is None


def test_an_error_begins_where_no_child_failed() -> None:
    """Callers only pass it on; unknown is not failed."""
    failed, fine, unknown = span(error=True), span(error=False), span(error=None)
    assert origin(failed, [fine])
    assert not origin(failed, [failed])
    assert not origin(fine, [])
    assert not origin(unknown, [])
