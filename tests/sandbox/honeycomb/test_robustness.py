"""Whatever a client sends is answered or refused; nothing ends in a server error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.honeycomb.errors import ApiError
from sandbox.honeycomb.events import Event
from sandbox.honeycomb.pipeline import TemplateError
from sandbox.honeycomb.query import parse_query
from sandbox.honeycomb.run import Run, execute
from sandbox.honeycomb.standin import StandIn
from sandbox.honeycomb.statement import Statement
from sandbox.honeycomb.template import render
from sandbox.honeycomb.terms import OPERATORS, PERCENTILES, UNARY
from tests.sandbox.honeycomb.conftest import HTTP

EVENT = {"name": "it's", "n": 1, "x": 1.5, "ok": True, "odd $ name": "y"}
COLUMNS = st.sampled_from([*EVENT, "mixed"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("it's")
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.just([{}]))
EXPRESSIONS = st.one_of(
    st.text(max_size=12),
    st.lists(
        st.sampled_from(
            ["IF(", "LT(", "$n", "$name", '"a"', ")", ",", "1", "+", "-", "AND", "!", "INT(", "="]
        ),
        max_size=9,
    ).map("".join),
    st.sampled_from(["LT($n, 2)", "$field", "CONCAT($name, $n)", "DIV($n, 0)", "LOG10(-1)"]),
)
FILTERS = st.one_of(
    st.fixed_dictionaries({"column": COLUMNS, "op": st.sampled_from(sorted(UNARY))}),
    st.fixed_dictionaries(
        {"column": COLUMNS, "op": st.sampled_from(sorted(OPERATORS - UNARY)), "value": VALUES}
    ),
    st.fixed_dictionaries(
        {
            "column": COLUMNS,
            "op": st.sampled_from(["in", "not-in"]),
            "value": st.lists(SCALARS, max_size=3),
        }
    ),
)
OPS = st.sampled_from(["SUM", "AVG", "MIN", "MAX", "COUNT_DISTINCT", *PERCENTILES])
CALCULATIONS = st.one_of(
    st.just({"op": "COUNT"}),
    st.fixed_dictionaries(
        {"op": OPS, "column": COLUMNS},
        optional={
            "name": st.text(min_size=1, max_size=5),
            "filters": st.lists(FILTERS, max_size=2),
        },
    ),
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "calculations": st.lists(CALCULATIONS, max_size=3),
        "filters": st.lists(FILTERS, max_size=3),
        "filter_combination": st.sampled_from(["AND", "OR"]),
        "breakdowns": st.lists(COLUMNS, max_size=3),
        "orders": st.lists(st.sampled_from([{"op": "COUNT"}, {"column": "n"}]), max_size=1),
        "havings": st.lists(
            st.fixed_dictionaries(
                {"calculate_op": st.just("COUNT"), "op": st.just(">"), "value": st.floats()}
            ),
            max_size=1,
        ),
        "calculated_fields": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["field", "n"]), "expression": EXPRESSIONS}
            ),
            max_size=1,
        ),
        "limit": st.integers(min_value=0, max_value=1001),
        "granularity": st.integers(min_value=8, max_value=7200),
    },
)


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """A few events, one column of two types, some of them sampled."""
    one = StandIn("http://127.0.0.1", http=HTTP)
    fields: list[dict[str, Any]] = [EVENT, EVENT | {"mixed": 1}, {"mixed": "1"}]
    one.events.append(Event("d", 10**9 * i, i, f) for i, f in enumerate(fields, 1))
    yield one
    one.events.close()
    one.database.close()


@settings(max_examples=300, deadline=None)
@given(spec=SPECS)
def test_every_query_runs_or_is_refused(standin: StandIn, spec: dict[str, Any]) -> None:
    """What passes the checks at creation is SQL that runs."""
    try:
        query = parse_query(spec)
        scope = standin.scope("d", spec)
        for field in query.calculated_fields:
            scope.check_expression(field.expression)
        scope.check(query.columns())
        Statement(query, scope, "d", (0, 1), sampled=False).grouped()
    except ApiError:
        return
    run = Run(query, "d", 0, 7200, query.limit, series=True, total=True, other=True)
    data = execute(standin.events, scope, run, threading.Event())
    assert len(data["results"]) <= query.limit


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(
            ["{{", "}}", " if ", " end ", " range ", " else ", ".A", ".L", "toJson ", "len ", "eq ",
             "printf ", '"%s"', " | ", "(", ")", " -", "x", " 1 "]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_every_template_gives_text_or_a_template_error(parts: list[str]) -> None:
    """Whatever it is made of."""
    try:
        assert isinstance(render("".join(parts), {"A": "a", "L": [{"A": 1}, {"A": None}]}), str)
    except TemplateError:
        return
