"""`tool_calls` tells apart what is wrong with the calls of an answer."""

from typing import Any

import pytest

from llmeval.checks.spec import SpecError, bind
from tests.checks.tried import tried
from tests.support.tables import each_row


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


FIND = {"name": "find", "arguments": {"id": "A-7"}}
PAY = {"name": "pay", "arguments": {"id": "A-7", "cents": 500}}
NOTE = call("note", text="hi")

# (arguments of the check, calls of the answer, passes, value, a part of the reason)
ROWS: list[tuple[dict[str, Any], list[dict[str, Any]], bool, float, str]] = [
    ({"calls": []}, [], True, 1.0, "called no tool, as wanted"),
    ({"calls": []}, [FIND], False, 0.0, 'not wanted: find(id="A-7")'),
    ({}, [FIND], False, 0.0, "not wanted"),
    ({"calls": [FIND, PAY]}, [FIND, PAY], True, 1.0, "as wanted"),
    ({"calls": ["find", PAY]}, [PAY, FIND], True, 1.0, "as wanted"),
    ({"calls": [FIND, PAY]}, [FIND], False, 2 / 3, 'missing: pay(id="A-7", cents=500)'),
    (
        {"calls": [PAY]},
        [call("pay", id="A-7", cents=5000)],
        False,
        0.0,
        "wrong argument of “pay”: argument “cents” is 5000, expected 500",
    ),
    (
        {"calls": [PAY]},
        [call("pay", id="A-7")],
        False,
        0.0,
        "argument “cents” is missing, expected 500",
    ),
    ({"calls": [PAY]}, [call("pay", id="A-7", cents="500")], False, 0.0, 'is "500", expected 500'),
    ({"calls": [PAY]}, [call("pay", id="A-7", cents=500.0)], True, 1.0, ""),
    ({"calls": [FIND]}, [call("find", id="A-7", deep=True)], True, 1.0, ""),
    (
        {"calls": [FIND], "exact": True},
        [call("find", id="A-7", deep=True)],
        False,
        0.0,
        "argument “deep” is not wanted",
    ),
    ({"calls": [FIND]}, [{"name": "find", "arguments": "{id"}], False, 0.0, "not valid JSON"),
    ({"calls": [FIND]}, [{"name": "find", "arguments": '{"id": "A-7"}'}], True, 1.0, ""),
    ({"calls": [FIND]}, [FIND, FIND, FIND], False, 0.5, "not wanted: find"),
    ({"calls": [FIND], "extra": True}, [NOTE, FIND], True, 1.0, ""),
    ({"calls": [FIND, PAY], "order": True}, [FIND, PAY], True, 1.0, ""),
    (
        {"calls": [FIND, PAY], "order": True},
        [PAY, FIND],
        False,
        0.99,
        "wrong order: “pay” was called before “find”",
    ),
    ({"calls": [FIND], "forbidden": ["pay"]}, [FIND, PAY], False, 2 / 3, "forbidden: pay("),
    (
        {"calls": [FIND], "forbidden": ["pay"], "extra": True},
        [FIND, PAY],
        False,
        0.99,
        "forbidden: pay(",
    ),
    ({"forbidden": ["pay"]}, [FIND, NOTE], True, 1.0, "no forbidden call among 2"),
    ({"forbidden": ["pay"]}, [FIND, PAY], False, 0.99, "forbidden: pay("),
    ({"calls": [FIND], "got": [FIND]}, [PAY], True, 1.0, ""),
    ({"calls": [FIND], "got": None}, [FIND], False, 0.0, "missing: find"),
]


@each_row("row", ROWS, ids=[str(row[:2]) for row in ROWS])
def test_calls(row: tuple[Any, ...]) -> None:
    arguments, calls, passed, value, reason = row
    result = tried({"tool_calls": arguments}, "Done.", tool_calls=tuple(calls))
    assert (result.passed, result.value) == (passed, pytest.approx(value))
    assert reason in result.reason


@pytest.mark.parametrize(
    "bad", [{"calls": [{"nam": "f"}]}, {"calls": [3]}, {"calls": [{"name": "f", "args": {}}]}]
)
def test_calls_that_are_written_wrongly_are_refused(bad: Any) -> None:
    with pytest.raises(SpecError, match="tool_calls"):
        bind([{"tool_calls": bad}])


def test_the_f1_of_no_call_is_written_as_an_empty_list() -> None:
    assert tried({"tool_f1": {"calls": []}}, "x").passed is True
    assert tried({"tool_f1": {"calls": []}}, "x", tool_calls=(FIND,)).passed is False
