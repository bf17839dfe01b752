"""The language of calculated fields, and the templates of payloads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.events import Event
from sandbox.honeycomb.standin import StandIn
from tests.sandbox.honeycomb.conftest import HTTP

SLI = (
    'IF(AND(EQUALS($http.target,"/api/chat"),NOT(EXISTS($trace.parent_id))),'
    "AND(LTE($duration_ms,1000),LT($http.status_code,500)))"
)


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """One event with a field of every type."""
    one = StandIn("http://127.0.0.1", http=HTTP)
    fields: dict[str, Any] = {
        "n": 7,
        "x": 2.5,
        "s": "Hello",
        "code": "200",
        "yes": True,
        "no": False,
        "odd name": 1,
    }
    # Columns exist with values of another event, so that they are absent here.
    other: dict[str, Any] = {
        "http.target": "",
        "trace.parent_id": "",
        "duration_ms": 0.0,
        "http.status_code": 0,
    }
    one.events.append([Event("d", 1_500_000_000_123_456_789, 1, fields)])
    one.events.append([Event("other", 1, 1, other)])
    yield one
    one.events.close()
    one.database.close()


def value(standin: StandIn, expression: str, dataset: str = "d") -> Any:
    """The value of an expression over the one event of a dataset."""
    scope = standin.scope(
        "__all__", {"calculated_fields": [{"name": "v", "expression": expression}]}
    )
    parts = scope.value("v").parts() or ["NULL"]
    (row,) = standin.events.read(
        f"SELECT {', '.join(parts)} FROM events WHERE dataset = '{dataset}'"
    )
    return next((cell for cell in row if cell is not None), None)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("LT($n, 8)", True),
        ("LTE($n, 7)", True),
        ("GT($n, 7)", False),
        ("GTE($x, 2.5)", True),
        ('EQUALS($s, "Hello")', True),
        ("EQUALS($code, 200)", False),  # types differ
        ("EQUALS($yes, true)", True),
        ("LT($missing, 8)", False),
        ("GT($s, 1)", False),
        ("EXISTS($n)", True),
        ("EXISTS($missing)", False),
        ("NOT(EXISTS($missing))", True),
        ("AND($yes, $n)", True),
        ("AND($yes, $no)", False),
        ("OR($no, $missing, $s)", True),
        ("IF($yes, 1, 2)", 1),
        ("IF($no, 1, 2)", 2),
        ("IF($no, 1)", None),
        ('IF($no, 1, $yes, "b", "c")', "b"),
        ("IF(true, $s, 5)", "Hello"),
        ("COALESCE($missing, $x, 1)", 2.5),
        ("IN($n, 1, 7)", True),
        ('SWITCH($s, "a", 1, "Hello", 2, 3)', 2),
        ("SUM($n, 1, 2)", 10),
        ("SUB($n, 10)", -3),
        ("MUL($n, $x)", 17.5),
        ("DIV($n, 2)", 3.5),
        ("DIV($n, 0)", None),
        ("MOD($n, 4)", 3),
        ("MIN($n, $x)", 2.5),
        ("MAX($n, $x)", 7),
        ("INT($x)", 2),
        ("INT($code)", 200),
        ("INT($s)", None),
        ("FLOAT($code)", 200.0),
        ("BOOL($n)", True),
        ("STRING($n)", "7"),
        ('CONCAT($s, "-", $n)', "Hello-7"),
        ("TO_LOWER($s)", "hello"),
        ("LENGTH($s)", 5),
        ('CONTAINS($s, "ell")', True),
        ('STARTS_WITH($s, "He")', True),
        ('ENDS_WITH($s, "He")', False),
        ('CONTAINS($n, "7")', False),
        ("REG_MATCH($s, `^H.*o$`)", True),
        ("EVENT_TIMESTAMP()", 1_500_000_000.123),
        ('UNIX_TIMESTAMP("2017-07-20T11:22:44.888Z")', 1_500_549_764.888),
        ('$"odd name"', 1),
        ("$n", 7),
        ("-5", -5),
        ("\"it's\"", "it's"),
        ("null", None),
        ("AND($yes, true,)", True),
        # Infix operators are another way to write the same.
        ('$n > 5 AND $s = "Hello"', True),
        ("$n + 2 * 3", 13),
        ("($n + 2) * 3", 27),
        ("$n - 2 - 1", 4),
        ("!($n != 7) OR false", True),
        ("INT(EVENT_TIMESTAMP() / 60)", 25_000_000),
    ],
)  # fmt: skip
def test_expressions(standin: StandIn, expression: str, expected: Any) -> None:
    """Each over the same event."""
    found = value(standin, expression)
    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)


def test_an_event_without_the_route_does_not_count_for_the_sli(standin: StandIn) -> None:
    """Null is not counted, which is neither true nor false."""
    assert value(standin, SLI) is None


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "IF(",
        "IF($a)",
        "NOPE($a)",
        "LT($a, 1, 2)",
        "$a $b",
        "LT($a, 1))",
        '"open',
        "#",
        "(" * 60 + "1" + ")" * 60,
        "1" * 5000,
    ],
)
def test_a_wrong_expression_is_refused(standin: StandIn, expression: str) -> None:
    """With a 422."""
    with pytest.raises(ApiError) as refused:
        standin.scope("__all__").check_expression(expression)
    assert refused.value.status == 422
