from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import backburn
from backburn.alert import Alert, AlertStatus, parse, plain
from backburn.errors import Malformed

TEMPLATE = Path(backburn.__file__).parent / "payload_template.json.tmpl"


def body(**fields: Any) -> bytes:
    """A burn alert's body."""
    known = {
        "schema": "backburn/v1",
        "status": "TRIGGERED",
        "isTest": False,
        "instanceId": "i-1",
        "sloId": "chat-latency",
        "name": "Budget burns",
        "summary": "3 % in 5 minutes",
    }
    return json.dumps(known | fields).encode()


def test_a_burn_alert_is_understood() -> None:
    """Everything the intake needs, and nothing else."""
    assert parse(body()) == Alert(
        status=AlertStatus.TRIGGERED,
        instance="i-1",
        slo="chat-latency",
        name="Budget burns",
        summary="3 % in 5 minutes",
        is_test=False,
    )


@pytest.mark.parametrize("status", ["OK", "ok", "Ok"])
def test_the_status_is_read_in_any_case(status: str) -> None:
    """Honeycomb's own samples differ."""
    assert parse(body(status=status)).status is AlertStatus.OK


def test_a_rendered_template_is_understood() -> None:
    """The template that ships is the body we parse."""
    text = re.sub(r"\{\{ toJson [^}]+ \}\}", '"words"', TEMPLATE.read_text())
    text = text.replace("{{ .Alert.Status }}", "TRIGGERED").replace("{{ .Alert.IsTest }}", "false")
    alert = parse(re.sub(r"\{\{ (\.[\w.]+) \}\}", r"\1", text).encode())
    assert (alert.slo, alert.instance, alert.is_test) == (".SLO.ID", ".Alert.InstanceID", False)


@pytest.mark.parametrize("odd", [[], {}, None, 2, ["true"]])
def test_law_8_an_odd_test_mark_is_no_test(odd: object) -> None:
    """A body we cannot read is answered for good, not with a fault that Honeycomb repeats."""
    assert not parse(body(isTest=odd)).is_test


@pytest.mark.parametrize("is_test", [True, "true"])
def test_a_test_needs_no_ids(is_test: object) -> None:
    """Honeycomb's Test button has no SLO to name."""
    assert parse(body(isTest=is_test, sloId="", instanceId="")).is_test


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "install payload_template.json.tmpl"),
        (b'"text"', "install payload_template.json.tmpl"),
        (body(schema="v0.1.0"), "install payload_template.json.tmpl"),
        (body(status="resolved"), "TRIGGERED or OK, not 'resolved'"),
        (body(sloId=""), '"sloId" must be'),
        (body(sloId=7), '"sloId" must be'),
        (body(instanceId="x" * 201), '"instanceId" must be'),
        (body(instanceId="a\nb"), '"instanceId" must be'),
    ],
)
def test_what_is_not_ours_is_refused_with_the_reason(data: bytes, said: str) -> None:
    """The sender can mend it."""
    with pytest.raises(Malformed, match=re.escape(said)):
        parse(data)


def test_law_7_text_of_strangers_is_one_bounded_line() -> None:
    """No line breaks, no control characters, no length without end."""
    assert plain("a\r\n\tb\x1b[31m\u202e c") == "a b [31m c"
    assert len(plain("x" * 5000)) == 400
    assert plain(None) == ""
    assert parse(body(summary="x\n" * 900)).summary.endswith("...")


def test_only_the_slo_routes() -> None:
    """Whatever else the payload says of services and stacks is not even kept."""
    assert set(Alert.model_fields) == {"status", "instance", "slo", "name", "summary", "is_test"}
